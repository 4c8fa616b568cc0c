/**
 * Keeps a node reachable through relays: looks for places at them while some are missing, first
 * where the user or the last run says, and leaves alone who failed (docs/spec/relay.md, "Clients").
 * Where relays are found, and whether any are needed, it is told.
 */
import { type Abortable, withDeadline } from '../../base/abort.ts';
import type { Endpoint } from '../../base/address.ts';
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import type { CancelTimer, World } from '../../base/clock.ts';
import { AltNetError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { reasonOf } from '../../base/reason.ts';
import { keyId } from '../../identity/key.ts';
import { formatMultiaddr } from '../address.ts';
import type { PeerTarget } from '../dialing.ts';
import type { ByteStream } from '../stream.ts';
import type { OpenOptions } from '../streams.ts';
import { type HeldPlace, HeldPlaces, type HeldPlacesDeps } from './held-places.ts';
import { LeftAlone } from './left-alone.ts';
import { otherFamilyOf } from './other-way.ts';
import { type Grant, relayProtocol } from './relay-frames.ts';
import { RelayLink } from './relay-link.ts';

/** Where there may be a relay. */
export interface RelayCandidate {
  readonly endpoint: Endpoint;
  /** Its node key, where that is known. */
  readonly publicKey?: Bytes | undefined;
  /** SHA-256 of the key that it must have. */
  readonly nodeId?: Bytes | undefined;
  /** Where else it is, as it says itself or its name does. */
  readonly others?: readonly Endpoint[] | undefined;
  /** The user wrote the name that has all of these. */
  readonly isNamed?: boolean | undefined;
}

/** What a client needs of the host. */
export interface RelayHost {
  open(target: PeerTarget, protocol: string, options?: OpenOptions): Promise<ByteStream>;
  /** The node key of who listens there. */
  keyAt(endpoint: Endpoint, options?: Abortable): Promise<Bytes>;
  useRelays: HeldPlacesDeps['host']['useRelays'];
  drop: HeldPlacesDeps['host']['drop'];
}

export interface RelayClientDeps extends Pick<HeldPlacesDeps, 'probe' | 'onChange' | 'onProven'> {
  readonly host: RelayHost;
  readonly world: World;
  readonly log: Logger;
  /** This node's own key. */
  readonly self: Bytes;
  /** Whether others need a relay to reach this node. Asked again and again. */
  readonly isNeeded: () => boolean;
  /** In the order in which they are to be tried; asked for anew whenever some are needed. */
  readonly candidates: (signal: AbortSignal) => AsyncIterable<RelayCandidate>;
}

/** How often it is looked whether relays are needed, and while they are not. */
const lookMs = 5000;
const unneededLookMs = 1000;
/** As long as one is missing: a new search after so long, then ever less often. */
const retryMinMs = 1000;
const retryMaxMs = 30_000;
/** To connect and to get a place. */
const placeMs = 8000;
/** A candidate that takes longer is late: the next one is tried beside it … */
const lateMs = 1000;
/** … as long as there are no more than so many. */
const triesAtOnceMax = 4;

export class RelayClient {
  readonly #deps: RelayClientDeps;
  readonly #places: HeldPlaces;
  /** By endpoint. */
  readonly #leftAlone: LeftAlone;
  readonly #stopping = new AbortController();
  #working: Promise<void> | undefined;
  #cancelWait: CancelTimer | undefined;
  #wake: () => void = () => undefined;
  #retryMs = retryMinMs;
  #isNeeded = false;

  constructor(deps: RelayClientDeps) {
    this.#deps = deps;
    this.#leftAlone = new LeftAlone(deps.world);
    const onLoss = (): void => this.#lookNow();
    this.#places = new HeldPlaces({ ...deps, leftAlone: this.#leftAlone, onLoss });
  }

  start(): void {
    this.#working ??= this.#work();
  }

  /** Gives the places back. */
  async stop(): Promise<void> {
    if (!this.#stopping.signal.aborted) this.#stopping.abort(new AltNetError('ABORTED', {}));
    this.#wake();
    await this.#working;
    await this.#places.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Those that work first. */
  places(): readonly HeldPlace[] {
    return this.#places.list();
  }

  /** At the last look. */
  get isNeeded(): boolean {
    return this.#isNeeded;
  }

  /** Everything may have changed: look now, also where nobody was before. */
  wake(): void {
    this.#leftAlone.forgive();
    this.#lookNow();
  }

  #lookNow(): void {
    this.#retryMs = retryMinMs;
    this.#wake();
  }

  async #work(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const isNeeded = this.#deps.isNeeded();
      this.#isNeeded = isNeeded;
      if (!isNeeded && this.#places.size > 0) await this.#places.release();
      if (isNeeded && this.#places.isShort) await this.#fill(signal);
      const isSearching = isNeeded && this.#places.isShort;
      const restMs = isNeeded ? lookMs : unneededLookMs;
      await this.#pause(isSearching ? this.#retryMs : restMs);
      if (isSearching) this.#retryMs = Math.min(2 * this.#retryMs, retryMaxMs);
    }
  }

  async #pause(ms: number): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const jitter = 0.75 + 0.5 * this.#deps.world.random.fraction();
    this.#cancelWait = this.#deps.world.timers.after(ms * jitter, resolve);
    await promise;
    this.#cancelWait();
  }

  async #fill(signal: AbortSignal): Promise<void> {
    const { candidates, log } = this.#deps;
    const later: RelayCandidate[] = []; // BOUNDED by the candidates
    const tries = new Set<Promise<void>>(); // BOUNDED by triesAtOnceMax
    const isEnough = (): boolean => signal.aborted || !this.#places.isShort;
    try {
      for await (const candidate of candidates(signal)) {
        if (isEnough()) break;
        if (this.#places.isNeighbour(candidate.endpoint)) later.push(candidate);
        else await this.#tryBeside(tries, candidate, signal);
      }
      await Promise.all(tries);
      // Two in one network are better than one.
      for (const candidate of later) {
        if (isEnough()) break;
        await this.#tryBeside(tries, candidate, signal);
      }
    } catch (error) {
      if (!signal.aborted) log.debug('no relays were found', { why: reasonOf(error) });
    }
    await Promise.all(tries);
  }

  /** Resolves when it is decided, or late and another one may be tried: most of a list are gone. */
  async #tryBeside(
    tries: Set<Promise<void>>,
    candidate: RelayCandidate,
    signal: AbortSignal,
  ): Promise<void> {
    const own = this.#try(candidate, signal).finally(() => tries.delete(own));
    tries.add(own);
    const { promise: isLate, resolve } = Promise.withResolvers<void>();
    const cancel = this.#deps.world.timers.after(lateMs, resolve);
    await Promise.race([own, isLate]);
    cancel();
    if (tries.size >= triesAtOnceMax) await Promise.race(tries);
  }

  async #try(candidate: RelayCandidate, signal: AbortSignal): Promise<void> {
    const { log } = this.#deps;
    const name = formatMultiaddr(candidate.endpoint);
    if (this.#leftAlone.has(name, { isUrgent: this.#places.size === 0 })) return;
    try {
      await this.#take(candidate, signal);
    } catch (error) {
      if (signal.aborted) return;
      this.#leftAlone.failed(name);
      log.debug('a relay gave no place', { why: reasonOf(error) });
    }
  }

  async #take(candidate: RelayCandidate, signal: AbortSignal): Promise<void> {
    const { host, world, self } = this.#deps;
    const limits = { timers: world.timers, ms: placeMs, what: 'taking a place at a relay', signal };
    const { endpoint } = candidate;
    const key =
      candidate.publicKey ??
      (await withDeadline(limits, (inTime) => host.keyAt(endpoint, { signal: inTime })));
    if (equalBytes(key, self)) throw refused('it is this node itself');
    if (candidate.nodeId && !equalBytes(keyId(key), candidate.nodeId)) {
      throw refused('another node listens there than the one that was named');
    }
    if (this.#places.has(key)) return;
    const target = { publicKey: key, addresses: [formatMultiaddr(endpoint)] };
    const { link, grant } = await withDeadline(limits, (inTime) => this.#reserve(target, inTime));
    if (this.#places.has(key) || !this.#places.isShort) return link.close(); // another was faster
    this.#retryMs = retryMinMs;
    const otherEndpoint = otherFamilyOf(endpoint, candidate.others);
    const { isNamed } = candidate;
    this.#places.hold({ endpoint, relayKey: key }, { link, grant, otherEndpoint, isNamed });
  }

  async #reserve(
    target: PeerTarget,
    signal: AbortSignal,
  ): Promise<{ readonly link: RelayLink; readonly grant: Grant }> {
    const { host, world } = this.#deps;
    const link = new RelayLink(
      await host.open(target, relayProtocol, { direct: true, signal }),
      world,
    );
    link.start();
    const onAbort = (): void => void link.close();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return { link, grant: await link.reserve() };
    } catch (error) {
      void link.close();
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}

function refused(why: string): AltNetError {
  return new AltNetError('UNREACHABLE', { what: 'the relay', why });
}
