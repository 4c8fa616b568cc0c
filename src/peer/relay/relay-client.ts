/**
 * Keeps a node reachable through relays: two of them, so that one may fail, in different networks
 * where there are some (docs/spec/relay.md, "Clients"). Where relays are found, and whether any are
 * needed, it is told.
 */
import { type Abortable, withDeadline } from '../../base/abort.ts';
import { type Endpoint, prefixOf, scopeOf } from '../../base/address.ts';
import { type Bytes, equalBytes, toHex } from '../../base/bytes.ts';
import type { CancelTimer, World } from '../../base/clock.ts';
import { AltNetError } from '../../base/errors.ts';
import { LruMap } from '../../base/limits.ts';
import type { Logger } from '../../base/logger.ts';
import { reasonOf } from '../../base/reason.ts';
import { keyId } from '../../identity/key.ts';
import { formatMultiaddr } from '../address.ts';
import type { PeerTarget } from '../dialing.ts';
import type { RelayedAddress } from '../peer-address.ts';
import type { ByteStream } from '../stream.ts';
import type { OpenOptions } from '../streams.ts';
import { type Grant, relayProtocol } from './relay-frames.ts';
import { type LinkEnd, RelayLink } from './relay-link.ts';

/** Where there may be a relay. */
export interface RelayCandidate {
  readonly endpoint: Endpoint;
  /** Its node key, where that is known. */
  readonly publicKey?: Bytes | undefined;
  /** SHA-256 of the key that it must have. */
  readonly nodeId?: Bytes | undefined;
}

/** What a client needs of the host. */
export interface RelayHost {
  open(target: PeerTarget, protocol: string, options?: OpenOptions): Promise<ByteStream>;
  /** The node key of who listens there. */
  keyAt(endpoint: Endpoint, options?: Abortable): Promise<Bytes>;
  useRelays(relays: readonly RelayedAddress[]): void;
  drop(publicKey: Bytes, reason: Error): void;
}

export interface RelayClientDeps {
  readonly host: RelayHost;
  readonly world: World;
  readonly log: Logger;
  /** This node's own key. */
  readonly self: Bytes;
  /** Whether others need a relay to reach this node. Asked again and again. */
  readonly isNeeded: () => boolean;
  /** In the order in which they are to be tried; asked for anew whenever some are needed. */
  readonly candidates: (signal: AbortSignal) => AsyncIterable<RelayCandidate>;
  /** Told when the relays have changed. */
  readonly onChange: (relays: readonly RelayedAddress[]) => void;
}

/** A place at a relay. */
export interface HeldPlace {
  readonly address: RelayedAddress;
  readonly grant: Grant;
  /** Unix milliseconds. */
  readonly sinceMs: number;
}

interface Place extends HeldPlace {
  readonly link: RelayLink;
  /** Since when, on the monotonic clock. */
  readonly takenMs: number;
}

export const placesWanted = 2;
/** How often it is looked whether relays are needed, and while they are not. */
const lookMs = 5000;
const unneededLookMs = 1000;
/** As long as one is missing: a new search after so long, then ever less often. */
const retryMinMs = 1000;
const retryMaxMs = 30_000;
/** One that failed is left alone for so long, then ever longer. */
const failedMinMs = 2000;
const failedMaxMs = 5 * 60_000;
/** A relay that ends sooner counts as one that failed: each change is told to many. */
const steadyMs = 5 * 60_000;
/** To connect and to get a place. */
const placeMs = 8000;
/** A candidate that takes longer is late: the next one is tried beside it … */
const lateMs = 1000;
/** … as long as there are no more than so many. */
const triesAtOnceMax = 4;

export class RelayClient {
  readonly #deps: RelayClientDeps;
  /** By node key. BOUNDED by placesWanted. */
  readonly #places = new Map<string, Place>();
  /** By endpoint: until when it is left alone; kept while it has a place. BOUNDED by its size. */
  readonly #failed = new LruMap<string, { readonly untilMs: number; readonly delayMs: number }>(
    256,
  );
  readonly #stopping = new AbortController();
  #working: Promise<void> | undefined;
  #cancelWait: CancelTimer | undefined;
  #wake: () => void = () => undefined;
  #retryMs = retryMinMs;
  #isNeeded = false;

  constructor(deps: RelayClientDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#working ??= this.#work();
  }

  /** Gives the places back. */
  async stop(): Promise<void> {
    if (!this.#stopping.signal.aborted) this.#stopping.abort(new AltNetError('ABORTED', {}));
    this.#wake();
    await this.#working;
    await this.#release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  places(): readonly HeldPlace[] {
    return [...this.#places.values()];
  }

  /** At the last look. */
  get isNeeded(): boolean {
    return this.#isNeeded;
  }

  /** Everything may have changed: look now. */
  wake(): void {
    this.#retryMs = retryMinMs;
    this.#wake();
  }

  async #work(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const isNeeded = this.#deps.isNeeded();
      this.#isNeeded = isNeeded;
      if (!isNeeded && this.#places.size > 0) await this.#release();
      if (isNeeded && this.#places.size < placesWanted) await this.#fill(signal);
      const isSearching = isNeeded && this.#places.size < placesWanted;
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
    const isEnough = (): boolean => signal.aborted || this.#places.size >= placesWanted;
    try {
      for await (const candidate of candidates(signal)) {
        if (isEnough()) break;
        if (this.#isNeighbour(candidate)) later.push(candidate);
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
    const { log, world } = this.#deps;
    const name = formatMultiaddr(candidate.endpoint);
    const before = this.#failed.get(name);
    const nowMs = world.clock.monotonicMs();
    if (before && nowMs < before.untilMs) return;
    try {
      await this.#take(candidate, signal);
    } catch (error) {
      if (signal.aborted) return;
      const delayMs = Math.min(2 * (before?.delayMs ?? failedMinMs / 2), failedMaxMs);
      this.#failed.set(name, { untilMs: world.clock.monotonicMs() + delayMs, delayMs });
      log.debug('a relay gave no place', { why: reasonOf(error) });
    }
  }

  async #take(candidate: RelayCandidate, signal: AbortSignal): Promise<void> {
    const { host, world, log, self } = this.#deps;
    const limits = { timers: world.timers, ms: placeMs, what: 'taking a place at a relay', signal };
    const { endpoint } = candidate;
    const key =
      candidate.publicKey ??
      (await withDeadline(limits, (inTime) => host.keyAt(endpoint, { signal: inTime })));
    if (equalBytes(key, self)) throw refused('it is this node itself');
    if (candidate.nodeId && !equalBytes(keyId(key), candidate.nodeId)) {
      throw refused('another node listens there than the one that was named');
    }
    if (this.#places.has(toHex(key))) return;
    const target = { publicKey: key, addresses: [formatMultiaddr(endpoint)] };
    const { link, grant } = await withDeadline(limits, (inTime) => this.#reserve(target, inTime));
    if (this.#places.has(toHex(key)) || this.#places.size >= placesWanted) {
      return link.close(); // another one was faster
    }
    const address: RelayedAddress = { endpoint, relayKey: key };
    const [sinceMs, takenMs] = [world.clock.unixMs(), world.clock.monotonicMs()];
    this.#places.set(toHex(key), { address, grant, sinceMs, takenMs, link });
    this.#retryMs = retryMinMs;
    void link.ended.then((how) => this.#ended(toHex(key), link, how));
    log.info('reachable through a relay', { places: this.#places.size });
    this.#changed();
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

  /** A link ended by itself, or was closed here. */
  #ended(name: string, link: RelayLink, how: LinkEnd): void {
    const place = this.#places.get(name);
    if (place?.link !== link) return;
    const { host, log, world } = this.#deps;
    this.#places.delete(name);
    // The connection is as dead as the link, and whoever comes through it waits for nothing.
    if (how === 'silent') host.drop(place.address.relayKey, new Error('the relay is silent'));
    if (how !== 'closed') log.info('a relay is gone', { how, places: this.#places.size });
    const at = formatMultiaddr(place.address.endpoint);
    const nowMs = world.clock.monotonicMs();
    const before = nowMs - place.takenMs < steadyMs ? this.#failed.get(at) : undefined;
    // A relay that ends does not come back at once; another one is better.
    const leastMs = how === 'leaving' ? 10 * failedMinMs : failedMinMs;
    const delayMs = Math.min(Math.max(leastMs, 2 * (before?.delayMs ?? 0)), failedMaxMs);
    this.#failed.set(at, { untilMs: nowMs + delayMs, delayMs });
    this.#changed();
    this.wake();
  }

  async #release(): Promise<void> {
    const held = [...this.#places.values()];
    this.#places.clear();
    if (held.length > 0) this.#changed();
    await Promise.allSettled(held.map(({ link }) => link.close()));
  }

  #changed(): void {
    const relays = this.places().map(({ address }) => address);
    this.#deps.host.useRelays(relays);
    this.#deps.onChange(relays);
  }

  /** Whether a place is held in the same network: one failure would take both. */
  #isNeighbour({ endpoint }: RelayCandidate): boolean {
    const network = networkOf(endpoint);
    if (network === undefined) return false;
    return this.places().some(({ address }) => networkOf(address.endpoint) === network);
  }
}

function networkOf({ ip }: Endpoint): string | undefined {
  return scopeOf(ip) === 'global' ? prefixOf(ip, 'wide') : undefined;
}

function refused(why: string): AltNetError {
  return new AltNetError('UNREACHABLE', { what: 'the relay', why });
}
