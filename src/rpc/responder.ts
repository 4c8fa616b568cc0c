/**
 * Incoming requests. What costs least is checked first, and nothing that a stranger can send costs
 * a Diffie-Hellman before its address has been limited (docs/spec/packets.md, "Order of checks"):
 *
 *   length, type, version, suite → source → mac1 → replay → source limits → mac2 under load
 *   → queue → DH and AEAD → handler → reply no longer than the request, unless a token was valid
 *
 * It opens no socket and does not know what requests mean.
 */
import type { Bytes } from '../base/bytes.ts';
import { unixSeconds, type World } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { reasonOf } from '../base/reason.ts';
import type { Reply, Request, RequestHandler, Requester } from '../dht/ports.ts';
import { type StoreStatus, storeStatuses } from '../record/kinds.ts';
import { isFailure } from '../wire/failure.ts';
import { decodeInit, encodeCookie, type InitPacket, respOverheadBytes } from '../wire/packets.ts';
import {
  encodeReplyBody,
  encodeReplyPayload,
  replyBodyBytesMax,
  replyHeadBytes,
  statusOf,
} from '../wire/replies.ts';
import {
  decodeRequestBody,
  decodeRequestPayload,
  type RequestPayload,
  tokenMethodCodes,
} from '../wire/requests.ts';
import { Cookies } from './cookies.ts';
import type { Counters } from './counters.ts';
import { DhBudget } from './dh-budget.ts';
import type { OutgoingGate } from './gate.ts';
import { LoadGauge } from './load.ts';
import type { Peers } from './peers.ts';
import { ReplayRing } from './replay.ts';
import type { OpenedRequest, Sealing } from './sealing.ts';
import type { Arrival, SourceLimits } from './source.ts';
import { AddressTokens } from './tokens.ts';
import { WorkQueue } from './work-queue.ts';

export interface ResponderDeps {
  readonly world: World;
  readonly log: Logger;
  readonly peers: Peers;
  readonly sealing: Sealing;
  readonly limits: SourceLimits;
  readonly gate: OutgoingGate;
  readonly counters: Counters;
  /** The share of a core that opening and sealing may take. */
  readonly dhShare: number;
  /** From as many requests per second on that ask for a handshake, they need a cookie. */
  readonly handshakesPerSecondMax: number;
  readonly contactRecord: () => Bytes | undefined;
  readonly contactSeq: () => number;
  /** Servers in the network as this node estimates them. */
  readonly networkSize?: (() => number | undefined) | undefined;
  readonly isServer: (peerIp: Bytes) => boolean;
}

/** Requests whose handler has not answered yet; more than that are dropped. */
const handlingMax = 512;

/** A request that was opened, with all that its reply depends on. */
interface Opened {
  readonly source: Arrival;
  readonly request: OpenedRequest;
  readonly payload: RequestPayload;
  readonly addressProven: boolean;
  /** Octets that the reply's body may have. */
  readonly room: number;
}

export class Responder {
  readonly #deps: ResponderDeps;
  readonly #replays = new ReplayRing();
  readonly #cookies: Cookies;
  readonly #tokens: AddressTokens;
  readonly #load: LoadGauge;
  readonly #queue: WorkQueue;
  #handler: RequestHandler | undefined;
  #handling = 0;
  #handlerFailureLogged = false;

  constructor(deps: ResponderDeps) {
    const { world, dhShare, handshakesPerSecondMax } = deps;
    this.#deps = deps;
    this.#cookies = new Cookies(world);
    this.#tokens = new AddressTokens(world);
    this.#load = new LoadGauge(world, handshakesPerSecondMax);
    this.#queue = new WorkQueue(world, new DhBudget(world.clock, dhShare));
  }

  serve(handler: RequestHandler): void {
    this.#handler = handler;
  }

  stop(): void {
    this.#load.stop();
    this.#queue.stop();
  }

  /** A datagram of type INIT. */
  receive(datagram: Bytes, source: Arrival): void {
    const { sealing, limits, counters } = this.#deps;
    const init = decodeInit(datagram);
    if (isFailure(init)) return counters.add(`init.${init}`);
    if (!sealing.mac1Verifies(init)) return counters.add('init.mac1');
    if (this.#replays.has(init.message1)) return counters.add('init.replay');
    if (!limits.take(source)) return counters.add('init.rate');
    this.#load.noteArrival();
    if (
      this.#load.underLoad(this.#queue.length) &&
      !this.#cookies.verifies(init, source.endpoint)
    ) {
      return this.#sendCookie(init, source);
    }
    if (!this.#queue.add(() => this.#openSafely(init, source))) counters.add('init.queue');
  }

  #sendCookie(init: InitPacket, source: Arrival): void {
    this.#deps.counters.add('cookie.sent');
    const cookie = this.#cookies.issue(source.endpoint);
    source.reply(encodeCookie({ txid: init.txid, cookie }));
  }

  /** Work that waited runs from a timer, where an exception would end the process. */
  #openSafely(init: InitPacket, source: Arrival): void {
    try {
      this.#open(init, source);
    } catch (error) {
      this.#handlerFailed(error);
    }
  }

  #open(init: InitPacket, source: Arrival): void {
    const { sealing, counters } = this.#deps;
    // Asked again, because the same INIT may have waited in the queue twice.
    if (this.#replays.has(init.message1)) return counters.add('init.replay');
    const request = sealing.open(init);
    if (!request) return counters.add('init.seal');
    this.#replays.add(init.message1);
    const payload = decodeRequestPayload(request.payload);
    if (isFailure(payload)) return counters.add(`request.${payload}`);
    const holder = { ip: source.endpoint.ip, publicKey: request.rs.publicKey.bytes };
    const addressProven =
      payload.token !== undefined && this.#tokens.verifies(payload.token, holder);
    // Without proof of the address, a reply may not be longer than its request.
    const room = addressProven
      ? replyBodyBytesMax
      : Math.min(replyBodyBytesMax, init.bytes.length - respOverheadBytes - replyHeadBytes);
    this.#dispatch({ source, request, payload, addressProven, room });
  }

  #dispatch(opened: Opened): void {
    const { counters, peers, gate } = this.#deps;
    const { payload, addressProven } = opened;
    if (!addressProven && (payload.token || tokenMethodCodes.has(payload.methodCode))) {
      counters.add('request.token');
      return this.#refuse(opened, storeStatuses.BAD_TOKEN);
    }
    const request = decodeRequestBody(payload);
    if (isFailure(request)) {
      counters.add(`request.${request}`);
      const { METHOD, MALFORMED } = storeStatuses;
      return this.#refuse(opened, request === 'method' ? METHOD : MALFORMED);
    }
    const initiator = peers.initiator(opened.request.rs.publicKey, payload.xSign);
    if (!initiator) return counters.add('request.identity');
    const contact = { ...initiator, endpoint: opened.source.endpoint };
    if (addressProven) gate.noteHeard(contact.endpoint);
    const { server, want } = payload;
    this.#handle(opened, { contact, server, addressProven, want }, request);
  }

  #handle(opened: Opened, from: Requester, request: Request): void {
    const { counters } = this.#deps;
    if (!this.#handler) return counters.add('request.unserved');
    if (this.#handling >= handlingMax) return counters.add('request.busy');
    counters.add(`request.${request.method}`);
    let result: ReturnType<RequestHandler>;
    try {
      result = this.#handler(from, request);
    } catch (error) {
      return this.#handlerFailed(error);
    }
    if (!(result instanceof Promise)) return this.#answer(opened, result);
    this.#handling += 1;
    result
      .then((reply) => this.#queue.charge(() => this.#answer(opened, reply)))
      .catch((error: unknown) => this.#handlerFailed(error))
      .finally(() => (this.#handling -= 1));
  }

  /** Nothing here must throw; when something does, the first case is worth a line in the log. */
  #handlerFailed(error: unknown): void {
    this.#deps.counters.add('request.handler-failed');
    if (this.#handlerFailureLogged) return;
    this.#handlerFailureLogged = true;
    this.#deps.log.error('a request could not be handled; it was dropped', {
      why: reasonOf(error),
    });
  }

  #answer(opened: Opened, reply: Reply | undefined): void {
    if (!reply) return this.#deps.counters.add('request.dropped');
    const complete = reply.method === 'ping' ? this.#withContactRecord(reply) : reply;
    const body = encodeReplyBody(complete, { room: opened.room, want: opened.payload.want });
    this.#send(opened, statusOf(reply), body);
  }

  #withContactRecord(reply: Extract<Reply, { method: 'ping' }>): Reply {
    return { ...reply, contactRecord: reply.contactRecord ?? this.#deps.contactRecord() };
  }

  #refuse(opened: Opened, status: StoreStatus): void {
    this.#send(opened, status, new Uint8Array(0));
  }

  #send({ source, request }: Opened, status: StoreStatus, body: Bytes): void {
    const { world, counters, contactSeq, networkSize, isServer } = this.#deps;
    const { endpoint } = source;
    const head = {
      status,
      server: isServer(endpoint.ip),
      observed: endpoint,
      token: this.#tokens.issue({ ip: endpoint.ip, publicKey: request.rs.publicKey.bytes }),
      contactSeq: contactSeq(),
      unixTime: unixSeconds(world.clock),
      networkSize: networkSize?.(),
    };
    const resp = request.reply(encodeReplyPayload(head, body));
    if (!resp) return counters.add('resp.seal');
    counters.add('resp.sent');
    source.reply(resp);
  }
}
