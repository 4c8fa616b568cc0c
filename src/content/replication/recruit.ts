/**
 * Makes copies elsewhere: offers a root to storage nodes, nearest first and several at once, until
 * as many hold it as are wanted or there is nobody left to ask. It does not decide when to.
 */
import { type Bytes, toHex } from '../../base/bytes.ts';
import { sleep } from '../../base/abort.ts';
import type { World } from '../../base/clock.ts';
import { isAltNetError } from '../../base/errors.ts';
import type { Contact } from '../../identity/contact.ts';
import { formatMultiaddr } from '../../peer/address.ts';
import { providerKey } from '../../record/provider.ts';
import type { Blocks, Connections, KeeperSearch } from '../ports.ts';
import type { ProviderContact } from '../fetching/providers.ts';
import { type Link, multihashOf } from '../dag/root.ts';
import { StreamSlots } from '../exchange/stream-slots.ts';
import type { Replication } from '../types.ts';
import type { CopyCounts } from './copy-counts.ts';
import { type OfferOutcome, offerTo } from './keep-client.ts';
import type { Offer } from './keep-frames.ts';
import { type Offering, offerUntilEnough } from './offers.ts';
import { holdsBlock, someLeaf } from './spot-check.ts';
import { Tally } from './tally.ts';
import { weigh } from './weigh.ts';

export interface RecruiterDeps {
  readonly blocks: Blocks;
  readonly connections: Connections;
  readonly keepers: KeeperSearch;
  readonly counts: CopyCounts;
  readonly world: World;
  /** This node's own key: it makes no copy with itself. */
  readonly self: Bytes;
  /** What is larger is not offered: no peer would keep it. */
  readonly perPeerBytesMax: number;
}

export interface Recruitment {
  readonly link: Link;
  readonly files: number;
  readonly wanted: number;
  readonly replaces?: Bytes | undefined;
  /** Asked before those that are nearest. */
  readonly first?: readonly ProviderContact[] | undefined;
  /** Node keys in hex: who holds it already. */
  readonly except?: ReadonlySet<string> | undefined;
  readonly signal: AbortSignal;
  /** Bytes that copies have by now, all together, of so many; and how many nodes make one. */
  readonly onProgress?: ((done: CopyProgress) => void) | undefined;
}

export interface CopyProgress {
  readonly bytes: number;
  readonly bytesTotal: number;
  readonly peers: number;
}

export interface Recruited extends Replication {
  /** Nobody at all is there to be asked: this node is off the network. */
  readonly alone: boolean;
}

/** Nodes that are asked for one root, before it is said that there is no room. */
const candidatesMax = 40;
/** Offers under way at the same time, for all roots. */
const offersAtOnce = 12;
/** A node without sign of life or progress for so long is given up. */
const patienceMs = 20_000;
/** Who says that it holds it must begin to give a block of it within this time … */
const checkMs = 10_000;
/** … and end within this one: the way from there may be narrow. */
const checkMsMax = 120_000;
/** A node that is busy is asked for it so many times, at this distance. */
const checksMax = 4;
const busyMs = 2000;

export class Recruiter {
  readonly #deps: RecruiterDeps;
  readonly #slots = new StreamSlots(offersAtOnce);

  constructor(deps: RecruiterDeps) {
    this.#deps = deps;
  }

  /** Rejects with the signal's reason, or with CONTENT_UNAVAILABLE when it is not here. */
  async recruit(job: Recruitment): Promise<Recruited> {
    const { wanted, link, files, replaces, signal } = job;
    if (wanted <= 0) return { replicas: 0, wanted, refused: [], alone: false };
    const weight = await weigh(this.#deps.blocks, link);
    if (weight.bytes > this.#deps.perPeerBytesMax) {
      const refused = [{ why: 'too-large' as const, nodes: wanted }];
      return { replicas: 0, wanted, refused, alone: false };
    }
    const candidates = await this.#candidates(job);
    signal.throwIfAborted();
    const offer: Offer = { link, files, ...weight, replaces };
    const tally = new Tally(wanted);
    const progress = new Map<string, number>(); // BOUNDED by candidatesMax
    const ask = async (to: ProviderContact, offering: Offering): Promise<boolean> => {
      const name = toHex(to.publicKey);
      const onBytes = (bytes: number): void => {
        offering.has(bytes);
        progress.set(name, bytes);
        job.onProgress?.(sumOf(progress, weight.bytes));
      };
      const outcome = await this.#offer(to, offer, { offering, signal, onBytes });
      if (outcome.kind === 'declined') progress.delete(name);
      else onBytes(weight.bytes);
      tally.count(outcome);
      this.#deps.counts.offered(outcome);
      return outcome.kind === 'kept';
    };
    const missing = (): number => wanted - tally.made;
    const offers = { candidates, bytes: weight.bytes, missing, ask };
    await offerUntilEnough(offers, this.#deps.world);
    signal.throwIfAborted();
    return { ...tally.result(), alone: candidates.length === 0 };
  }

  async #candidates({ link, first = [], except, signal }: Recruitment): Promise<ProviderContact[]> {
    const seen = new Set([toHex(this.#deps.self), ...(except ?? [])]);
    const found: ProviderContact[] = []; // BOUNDED by candidatesMax
    for (const contact of [...first, ...(await this.#nearest(link, signal))]) {
      const name = toHex(contact.publicKey);
      if (seen.has(name) || found.length >= candidatesMax) continue;
      seen.add(name);
      found.push(contact);
    }
    return found;
  }

  async #nearest(link: Link, signal: AbortSignal): Promise<ProviderContact[]> {
    try {
      const key = providerKey(multihashOf(link));
      return (await this.#deps.keepers.closest(key, { signal })).map(dialledAt);
    } catch (error) {
      if (!signal.aborted && isAltNetError(error)) return [];
      throw error;
    }
  }

  async #offer(
    to: ProviderContact,
    offer: Offer,
    {
      offering,
      signal,
      onBytes,
    }: { offering: Offering; signal: AbortSignal; onBytes: (bytes: number) => void },
  ): Promise<OfferOutcome> {
    const either = AbortSignal.any([signal, offering.signal]);
    let give: (() => void) | undefined;
    try {
      give = await this.#slots.take('all', either);
      offering.begin();
      return await this.#settle(to, offer, { signal: either, onBytes });
    } catch (error) {
      if (signal.aborted || !offering.signal.aborted) throw error;
      return { kind: 'declined', why: 'slow' };
    } finally {
      give?.();
    }
  }

  async #settle(
    to: ProviderContact,
    offer: Offer,
    { signal, onBytes }: { signal: AbortSignal; onBytes: (bytes: number) => void },
  ): Promise<OfferOutcome> {
    const { connections, world } = this.#deps;
    const asking = { timers: world.timers, patienceMs, signal, onBytes };
    const outcome = await offerTo({ connections, to }, offer, asking);
    if (outcome.kind === 'declined' || (await this.#hasIt(to, offer, signal))) return outcome;
    return { kind: 'declined', why: 'failed' };
  }

  /**
   * Saying so costs nothing, so one block is asked for. Who gives none may have it all the same,
   * but the copies that a publisher is told of are those that somebody can read.
   */
  async #hasIt(to: ProviderContact, { link }: Offer, signal: AbortSignal): Promise<boolean> {
    const { blocks, connections, world } = this.#deps;
    const leaf = someLeaf(blocks, link, world.random);
    if (!leaf) return true;
    const { timers } = world;
    const asking = { timers, patienceMs: checkMs, longestMs: checkMsMax, signal };
    for (let checks = 1; ; checks++) {
      const verdict = await holdsBlock({ connections, to }, leaf, asking);
      if (verdict !== 'busy' || checks === checksMax) return verdict === 'yes';
      await sleep(timers, busyMs, signal);
    }
  }
}

/** A storage node listens for connections on the port that it has in the DHT. */
function dialledAt({ publicKey, endpoint }: Contact): ProviderContact {
  return { publicKey, addresses: [formatMultiaddr(endpoint)] };
}

/** Of the copies that are under way or made: who will take one is not known before. */
function sumOf(progress: ReadonlyMap<string, number>, bytesEach: number): CopyProgress {
  const bytesTotal = bytesEach * progress.size;
  const bytes = [...progress.values()].reduce((sum, one) => sum + one, 0);
  return { bytes: Math.min(bytes, bytesTotal), bytesTotal, peers: progress.size };
}
