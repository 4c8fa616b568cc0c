/**
 * Helping others to learn whether they can be reached (REACH, the second and third role): finding
 * somebody who knocks at the asker, and knocking. A knock goes to an address that somebody else
 * named, so it is one small datagram, and each address gets few.
 */
import { formatIp, prefixOf, scopeOf } from '../../base/address.ts';
import { type Bytes, toHex } from '../../base/bytes.ts';
import type { World } from '../../base/clock.ts';
import { LruMap } from '../../base/limits.ts';
import type { Contact } from '../../identity/contact.ts';
import type { ReachReply, ReachRequest, Requester, Transport } from '../ports.ts';
import { drawDiverse, isGlobal } from './draw.ts';
import { Pace, type PaceLimit } from './pace.ts';

export interface ReachServiceOptions {
  /** Others asked until one promises to knock. */
  readonly knockersMax: number;
}

export const reachServiceDefaults: ReachServiceOptions = { knockersMax: 2 };

export interface ReachServiceDeps {
  readonly transport: Pick<Transport, 'call' | 'knock'>;
  readonly world: World;
  /** Those whom we could ask. */
  readonly contacts: () => readonly Contact[];
  readonly signal: AbortSignal;
}

const second = 1000;
const minute = 60 * second;
/** A /24 or /48 asks for its own nodes; all together must not keep us busy. */
const arrangedPerSource: PaceLimit = { countMax: 8, windowMs: minute, keysMax: 4096 };
const arrangedInAll: PaceLimit = { countMax: 120, windowMs: minute, keysMax: 1 };
/** Nodes have us knock for those who ask them, few of whom draw the same one of us. */
const knocksPerSource: PaceLimit = { countMax: 10, windowMs: 10 * second, keysMax: 4096 };
const knocksPerTarget: PaceLimit = { countMax: 1, windowMs: 10 * second, keysMax: 4096 };
const knocksInAll: PaceLimit = { countMax: 100, windowMs: 10 * second, keysMax: 1 };
/** A repeated question gets the answer of the first. */
const answersMax = 256;
/** Below are the ports of other services. */
const portMin = 1024;

export class ReachService {
  readonly #deps: ReachServiceDeps;
  readonly #options: ReachServiceOptions;
  readonly #arranged: Pace;
  readonly #arrangedInAll: Pace;
  readonly #knocksBySource: Pace;
  readonly #knocks: Pace;
  readonly #knocksInAll: Pace;
  readonly #answers = new LruMap<string, Promise<boolean>>(answersMax); // BOUNDED by answersMax

  constructor(deps: ReachServiceDeps, options: ReachServiceOptions = reachServiceDefaults) {
    const { clock } = deps.world;
    this.#deps = deps;
    this.#options = options;
    this.#arranged = new Pace(clock, arrangedPerSource);
    this.#arrangedInAll = new Pace(clock, arrangedInAll);
    this.#knocksBySource = new Pace(clock, knocksPerSource);
    this.#knocks = new Pace(clock, knocksPerTarget);
    this.#knocksInAll = new Pace(clock, knocksInAll);
  }

  /** Never rejects. */
  async answer(from: Requester, { nonce, target }: ReachRequest): Promise<ReachReply> {
    const asker = from.contact;
    const key = `${toHex(asker.id)}/${toHex(nonce)}`;
    let answer = this.#answers.get(key);
    if (!answer) {
      const mayHelp =
        from.addressProven && (target ? this.#mayKnock(target, asker) : this.#mayArrange(asker));
      if (!mayHelp) return { method: 'reach', accepted: false };
      answer = target ? this.#knock(target, nonce) : this.#arrange(asker, nonce);
      this.#answers.set(key, answer);
    }
    return { method: 'reach', accepted: await answer };
  }

  #mayArrange(asker: Contact): boolean {
    const source = prefixOf(asker.endpoint.ip, 'narrow');
    return isTestable(asker) && this.#arranged.take(source) && this.#arrangedInAll.take('');
  }

  #mayKnock(target: Contact, asker: Contact): boolean {
    const source = prefixOf(asker.endpoint.ip, 'narrow');
    const address = formatIp(target.endpoint.ip);
    return (
      isTestable(target) &&
      this.#knocksBySource.take(source) &&
      this.#knocks.take(address) &&
      this.#knocksInAll.take('')
    );
  }

  async #arrange(asker: Contact, nonce: Bytes): Promise<boolean> {
    const { contacts, world, transport, signal } = this.#deps;
    const knockers = drawDiverse(
      contacts().filter((contact) => isGlobal(contact, asker.endpoint.ip.length)),
      { count: this.#options.knockersMax, without: [asker], random: world.random },
    );
    const request = { method: 'reach', nonce, target: asker } as const;
    for (const knocker of knockers) {
      try {
        if ((await transport.call(knocker, request, { signal })).reply.accepted) return true;
      } catch {
        if (signal.aborted) return false;
      }
    }
    return false;
  }

  #knock(target: Contact, nonce: Bytes): Promise<boolean> {
    const { transport, signal } = this.#deps;
    return transport.knock(target, nonce, { signal }).then(
      () => true,
      () => false,
    );
  }
}

function isTestable({ endpoint: { ip, port } }: Contact): boolean {
  return scopeOf(ip) === 'global' && port >= portMin;
}
