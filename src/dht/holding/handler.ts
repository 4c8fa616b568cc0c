/**
 * Answers the requests of other nodes. Nothing here sends a request or changes the table: a server
 * that asks is at most offered as a newcomer, whom we shall ask ourselves.
 */
import { type Scope, scopeOf } from '../../base/address.ts';
import type { Bytes } from '../../base/bytes.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import { reasonOf } from '../../base/reason.ts';
import type { Contact } from '../../identity/contact.ts';
import { isStored, storeStatuses } from '../../record/kinds.ts';
import type { Counters } from '../counters.ts';
import { sameId } from '../distance.ts';
import { pageOf } from './pages.ts';
import type {
  AnnounceReply,
  AnnounceRequest,
  FindReply,
  GetReply,
  GetRequest,
  LeaveReply,
  PingReply,
  PingRequest,
  ReachReply,
  ReachRequest,
  Reply,
  Request,
  Requester,
  RequestHandler,
  StoreReply,
  StoreRequest,
  SyncReply,
  SyncRequest,
} from '../ports.ts';
import { isSender, sourceOf } from '../rules/source.ts';
import { SourceRate } from './source-rate.ts';
import type { Storage } from './storage.ts';
import type { TableView } from '../table/table.ts';

export interface HandlerOptions {
  /**
   * Only contacts that answered us within this time are handed on: of others we know too little to
   * have strangers send them requests.
   */
  readonly contactFreshMs: number;
}

export const handlerDefaults: HandlerOptions = { contactFreshMs: 15 * 60_000 };

export interface HandlerDeps {
  readonly self: Bytes;
  readonly clock: Clock;
  readonly log: Logger;
  readonly table: TableView;
  readonly storage: Storage;
  readonly counters: Counters;
  /** Whether who asks from this address can reach us. */
  readonly isServer: (askerIp: Bytes) => boolean;
  readonly contactRecord: () => Bytes | undefined;
  /** A server that we might get to know. */
  readonly offer: (contact: Contact, addressProven: boolean) => void;
  /** Told of an announced record that nobody has looked at; left out: it is dropped. */
  readonly onAnnounce?: ((from: Requester, record: Bytes) => void) | undefined;
  /** Who asks is about to stop. */
  readonly onLeave: (contact: Contact) => void;
  /** What we hold that another node should hold as well, after an entry. */
  readonly handOff: (asker: Bytes, after: Bytes) => SyncReply;
  /** Answers REACH (mode/); without it nobody is helped. */
  readonly reach?: ((from: Requester, request: ReachRequest) => Promise<ReachReply>) | undefined;
  /** Told of a PING that brings a nonce: it may be one that we wait for. */
  readonly onNonce?: ((from: Requester, nonce: Bytes) => void) | undefined;
}

/** Announcements in a minute from one network of the Internet: a revoker has one a minute. */
const announcedPerMinute = 60;
/** As many as fit a reply. */
const contactsMax = 20;
/** Others decide how often they ask what cannot be answered; the log must not fill the disk. */
const complaintMs = 60_000;

export class Handler {
  readonly #deps: HandlerDeps;
  readonly #options: HandlerOptions;
  readonly #announced: SourceRate;
  #complainedMs = Number.NEGATIVE_INFINITY;

  constructor(deps: HandlerDeps, options: HandlerOptions = handlerDefaults) {
    this.#deps = deps;
    this.#options = options;
    this.#announced = new SourceRate(deps.clock, announcedPerMinute);
  }

  /** Never throws nor rejects; undefined when no honest answer is possible. */
  handle(from: Requester, request: Request): ReturnType<RequestHandler> {
    const { counters, offer } = this.#deps;
    counters.request('received', request.method);
    // Who knocks does so from a port where nobody will answer.
    const knocks = request.method === 'ping' && request.nonce !== undefined;
    const isComing = !knocks && request.method !== 'leave';
    if (from.server && isComing) offer(from.contact, from.addressProven);
    try {
      const answer = this.#answer(from, request);
      return answer instanceof Promise
        ? answer.catch((error: unknown) => this.#giveUp(request, error))
        : answer;
    } catch (error) {
      return this.#giveUp(request, error);
    }
  }

  #giveUp({ method }: Request, error: unknown): undefined {
    const nowMs = this.#deps.clock.monotonicMs();
    if (nowMs - this.#complainedMs < complaintMs) return undefined;
    this.#complainedMs = nowMs;
    this.#deps.log.error('cannot answer a request', { method, why: reasonOf(error) });
    return undefined;
  }

  #answer(from: Requester, request: Request): Reply | Promise<Reply> {
    const { method } = request;
    if (method === 'ping') return this.#ping(from, request);
    if (method === 'reach') {
      return this.#deps.reach?.(from, request) ?? { method, accepted: false };
    }
    if (method === 'leave') return this.#leave(from);
    if (method === 'announce') return this.#announce(from, request);
    if (method === 'find') return this.#find(from, request.target);
    if (method === 'sync') return this.#handOff(from, request);
    return method === 'get' ? this.#get(from, request) : this.#store(from, request);
  }

  /** Of itself, and nobody else: the handshake proved who it is, and the token that it is there. */
  #leave({ contact, addressProven }: Requester): LeaveReply {
    if (addressProven) this.#deps.onLeave(contact);
    return { method: 'leave' };
  }

  /** Whoever announces too much is heard out and not listened to. */
  #announce(from: Requester, { method, record }: AnnounceRequest): AnnounceReply {
    const source = sourceOf(from.contact.endpoint.ip);
    const isTooMuch = isSender(source) && this.#announced.take(source) > 0;
    if (!isTooMuch) this.#deps.onAnnounce?.(from, record);
    return { method };
  }

  #ping(from: Requester, { method, nonce }: PingRequest): PingReply {
    if (nonce) this.#deps.onNonce?.(from, nonce);
    return { method, contactRecord: this.#deps.contactRecord() };
  }

  /** Long lists go only to an address that is proven, and to the node whose place they are for. */
  #handOff(from: Requester, { after }: SyncRequest): SyncReply {
    const mayAsk =
      from.addressProven && from.server && this.#deps.isServer(from.contact.endpoint.ip);
    if (!mayAsk) return { method: 'sync', entries: [], more: false };
    return this.#deps.handOff(from.contact.id, after);
  }

  #find(from: Requester, target: Bytes): FindReply {
    return { method: 'find', contacts: this.#contactsFor(from, target) };
  }

  #get(from: Requester, request: GetRequest): GetReply {
    const { storage, self, clock } = this.#deps;
    const page = pageOf(storage.list(request.key), request, { self, nowMs: clock.unixMs() });
    return { method: 'get', ...page, contacts: this.#contactsFor(from, request.key) };
  }

  /**
   * A contact is handed only to who can use it: an asker whose address is of the same scope, and
   * who reaches its family. A neighbour of the local network gets contacts of the Internet as well,
   * where there is room: it may know nobody else who does.
   */
  #contactsFor(from: Requester, target: Bytes): readonly Contact[] {
    const scope = scopeOf(from.contact.endpoint.ip);
    const own = this.#contactsIn(scope, from, target, contactsMax);
    if (scope !== 'private' || own.length === contactsMax) return own;
    return [...own, ...this.#contactsIn('global', from, target, contactsMax - own.length)];
  }

  #contactsIn(
    scope: Scope,
    { contact: asker, want }: Requester,
    target: Bytes,
    count: number,
  ): readonly Contact[] {
    const { table, clock } = this.#deps;
    const { contactFreshMs } = this.#options;
    const nowMs = clock.monotonicMs();
    return table.closest(
      target,
      count,
      ({ contact: { id, endpoint }, seenMs }) =>
        nowMs - seenMs <= contactFreshMs &&
        scopeOf(endpoint.ip) === scope &&
        (want === undefined || (endpoint.ip.length === 4 ? want.v4 : want.v6)) &&
        !sameId(id, asker.id),
    );
  }

  async #store(from: Requester, { record }: StoreRequest): Promise<StoreReply> {
    const { status, conflicting, detail } = await this.#judgeStore(from, record);
    if (!isStored(status)) this.#deps.counters.refused(status);
    return { method: 'store', status, conflicting: conflicting?.bytes, detail };
  }

  async #judgeStore(from: Requester, record: Bytes): ReturnType<Storage['accept']> {
    const { ip } = from.contact.endpoint;
    // Who cannot be reached is no use as a holder; we call ourselves a server by the same rule.
    if (!this.#deps.isServer(ip)) return { status: storeStatuses.METHOD };
    if (!from.addressProven) return { status: storeStatuses.BAD_TOKEN };
    return this.#deps.storage.accept(record, { source: sourceOf(ip) });
  }
}
