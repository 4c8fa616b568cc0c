/**
 * Decides whether this node keeps what another offers, and makes the copy: room is set aside first,
 * the offerer is asked for the blocks before others are, and what was declared is the most that is
 * taken. It reads no frames; what became of an offer is a value, never an exception.
 */
import { abortReason, sleep, untilAborted, withDeadline } from '../../base/abort.ts';
import { type Bytes, equalBytes, toHex } from '../../base/bytes.ts';
import type { World } from '../../base/clock.ts';
import { isDenied } from '../../base/denial.ts';
import { isAltNetError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { providerKey } from '../../record/provider.ts';
import { networkOf } from '../../peer/address.ts';
import { Pace, type PaceOptions } from '../exchange/pace.ts';
import { lent } from '../lent.ts';
import type { Custody } from '../custody.ts';
import type { Connections, Holding, Holdings, KeeperSearch } from '../ports.ts';
import type { Announcer } from '../provide.ts';
import { type Link, multihashOf } from '../dag/root.ts';
import type { Admission } from './admission.ts';
import { Allowance, Overrun } from './allowance.ts';
import type { Decline, Offer, Standing } from './keep-frames.ts';

export interface TakerDeps {
  readonly holdings: Holdings;
  readonly custody: Custody;
  readonly announcer: Announcer;
  readonly connections: Connections;
  readonly keepers: KeeperSearch;
  readonly admission: Admission;
  readonly world: World;
  readonly log: Logger;
  readonly isKeeper: () => boolean;
  /** What this node's user took back: it is not stored here again. */
  readonly declines: (hash: Bytes) => boolean;
}

/** How the taking is told to the offerer. */
export interface Telling {
  /** The offer is taken; blocks are being fetched. */
  readonly onTaking: () => void;
  readonly onBytes: (bytes: number) => void;
  readonly signal: AbortSignal;
}

export type Taken =
  | { readonly kind: 'held' | 'kept' }
  | { readonly kind: 'refused' | 'failed'; readonly why: Decline };

/**
 * The offerer may be gone soon, and what cannot be found is of no use to anybody: so KEPT waits for
 * storers. It comes after this long all the same, well before the offerer loses its patience, and
 * announcing goes on in the background.
 */
const announceMs = 12_000;
/** Storers that were silent are asked again after so long, then after twice as long each time. */
const silenceMs = 1000;

export class Taker {
  readonly #deps: TakerDeps;
  /** Roots of which a copy is being made. BOUNDED by those who wait for a place, and the places. */
  readonly #pulling = new Set<string>();

  constructor(deps: TakerDeps) {
    this.#deps = deps;
  }

  /** What this node says of a root: only what it keeps for others or its user counts as held. */
  standing(hash: Bytes): Standing {
    const root = this.#deps.holdings.get(hash);
    if (!root?.complete || root.kind === 'visited') return 'no';
    return root.supersededMs === undefined ? 'held' : 'superseded';
  }

  /** `from`: the node key of the offerer, proven by its connection. Rejects only when aborted. */
  async take(offer: Offer, from: Bytes, telling: Telling): Promise<Taken> {
    const { holdings } = this.#deps;
    const why = this.#objection(offer, from);
    if (why !== undefined) return { kind: 'refused', why };
    const { hash } = offer.link;
    const standing = this.standing(hash);
    if (standing === 'superseded') {
      // Whoever has an old version in its care would bring it back to life again and again.
      if (!this.#isTheirs(hash, from)) return { kind: 'refused', why: 'superseded' };
      await holdings.change(hash, { supersededMs: undefined });
    }
    if (standing !== 'no') {
      await this.#supersede(offer, from);
      return { kind: 'held' };
    }
    // Somebody else's offer of it is under way: its copy will do for both.
    const name = toHex(hash);
    if (this.#pulling.has(name)) return { kind: 'refused', why: 'busy' };
    this.#pulling.add(name);
    let leave: (() => void) | undefined;
    try {
      leave = await this.#deps.admission.pull(from, telling.signal);
      if (!leave) return { kind: 'refused', why: 'busy' };
      const taken = await this.#pull(offer, from, telling);
      if (taken.kind !== 'kept') return taken;
      await this.#supersede(offer, from);
      await this.#announce(offer.link, telling.signal);
      return taken;
    } finally {
      leave?.();
      this.#pulling.delete(name);
    }
  }

  #objection(offer: Offer, from: Bytes): Decline | undefined {
    const { isKeeper, admission, connections, declines, holdings, keepers } = this.#deps;
    const { hash } = offer.link;
    if (!isKeeper()) return 'not-a-keeper';
    if (!admission.allows('offer', from, connections.remoteAddress(from))) return 'busy';
    if (this.standing(hash) !== 'no') return undefined;
    if (declines(hash)) return 'not-a-keeper';
    const { bytesMax } = holdings.usageFor(from);
    if (offer.bytes > bytesMax) return 'too-large';
    const isUpdate = offer.replaces !== undefined && this.#isTheirs(offer.replaces, from);
    if (!isUpdate && keepers.isFar(providerKey(multihashOf(offer.link)))) return 'far';
    return undefined;
  }

  /** Whether this is a copy that was made for that peer: only it may replace it. */
  #isTheirs(hash: Bytes, from: Bytes): boolean {
    const root = this.#deps.holdings.get(hash);
    return root?.kind === 'replica' && root.from !== undefined && equalBytes(root.from, from);
  }

  async #pull(offer: Offer, from: Bytes, { onTaking, onBytes, signal }: Telling): Promise<Taken> {
    const { holdings, custody, connections, world, log } = this.#deps;
    const { link } = offer;
    const allowance = new Allowance(offer);
    const slow = new AbortController();
    const pace = new Pace(world.timers, pullPace, () => slow.abort(new Error('it was too slow')));
    const admit = (bytes: number): void => {
      allowance.take(bytes);
      pace.count(bytes);
    };
    const source = networkOf(connections.remoteAddress(from));
    const { replaces } = offer;
    const what = { kind: 'replica', root: link, replaces } as const;
    let taking = false;
    try {
      await using holding = await holdings.open({ ...what, from, source });
      const into = (): Promise<Holding> => Promise.resolve(lent(holding));
      await holding.reserve(this.#roomFor(offer, from));
      taking = true;
      onTaking();
      const known = { publicKey: from, addresses: [] };
      const onProgress = (): void => onBytes(allowance.bytes);
      const limits = {
        timers: world.timers,
        ms: patienceMs(offer.bytes),
        what: 'a copy',
        signal: AbortSignal.any([signal, slow.signal]),
      };
      if (offer.bytes > 2 * pullPace.bytesMin) pace.start();
      await withDeadline(limits, (inTime) =>
        custody.bring({ link, into, known, admit, signal: inTime, onProgress }),
      );
      // It counts as visited when a reader shared it and the offerer's budget did not suffice.
      if (this.standing(link.hash) === 'no') return { kind: 'failed', why: 'budget' };
      onBytes(offer.bytes);
      return { kind: 'kept' };
    } catch (error) {
      if (signal.aborted) throw abortReason(signal);
      log.debug('an offered site was not kept', { why: String(error) });
      return { kind: taking ? 'failed' : 'refused', why: reasonOf(error) };
    } finally {
      pace.stop();
    }
  }

  /** An update shares most blocks with what is replaced; what it does not may still be too much. */
  #roomFor({ link, bytes, replaces }: Offer, from: Bytes): number {
    // It was visited, and counts for this peer since it is being made a replica.
    if (this.#deps.holdings.get(link.hash)?.complete) return 0;
    if (!replaces || !this.#isTheirs(replaces, from)) return bytes;
    const shared = this.#deps.holdings.get(replaces)?.bytes ?? 0;
    return Math.max(bytes - shared, Math.ceil(bytes / 16));
  }

  async #supersede({ link, replaces }: Offer, from: Bytes): Promise<void> {
    if (!replaces || equalBytes(link.hash, replaces) || !this.#isTheirs(replaces, from)) return;
    const { holdings, world, log } = this.#deps;
    if (holdings.get(replaces)?.supersededMs !== undefined) return;
    await holdings.change(replaces, { supersededMs: world.clock.unixMs() });
    log.debug('a copy was superseded', { root: toHex(replaces) });
  }

  /** Resolves when others can find the copy, or it took too long. */
  async #announce(link: Link, signal: AbortSignal): Promise<void> {
    const { announcer, world, log } = this.#deps;
    const limits = { timers: world.timers, ms: announceMs, what: 'an announcement', signal };
    // The copy is there: that is said even if the offerer is gone by now.
    let announcing = announcer.announce(link);
    try {
      await withDeadline(limits, async (inTime) => {
        for (let pauseMs = silenceMs; ; pauseMs *= 2) {
          const { isPending, waitMs } = await untilAborted(announcing, inTime);
          if (!isPending) return;
          await sleep(world.timers, Math.max(pauseMs, waitMs), inTime);
          announcing = announcer.announce(link);
        }
      });
    } catch (error) {
      announcing.catch(() => undefined);
      log.debug('nobody was told of a copy yet', { why: String(error) });
    }
  }
}

/** Who sends in drops must not hold one of the few places for hours: neither in all … */
const periodMs = 120_000;
const bytesPerMsMin = 16;

function patienceMs(bytes: number): number {
  return periodMs + bytes / bytesPerMsMin;
}

/** … nor by having declared much of which little comes: half of that in each period. */
const pullPace: PaceOptions = { periodMs, bytesMin: (periodMs * bytesPerMsMin) / 2 };

function reasonOf(error: unknown): Decline {
  if (error instanceof Overrun) return 'too-large';
  if (isDenied(error)) return 'blocked';
  if (isAltNetError(error, 'STORE_FULL') || isAltNetError(error, 'DISK_FULL')) return 'budget';
  return 'failed';
}
