/**
 * Keeps alive what this node's users published: written down first, stored with others, stored
 * again at the interval of its kind, and signed anew before it expires.
 */
import { type Abortable, sleep } from '../../base/abort.ts';
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { unixSeconds, type World } from '../../base/clock.ts';
import { AltNetError } from '../../base/errors.ts';
import { KeyedTurns } from '../../base/keyed-turns.ts';
import { LruMap } from '../../base/limits.ts';
import type { Logger } from '../../base/logger.ts';
import { reasonOf } from '../../base/reason.ts';
import type { SigningKey } from '../../identity/key.ts';
import type { SignedRecord } from '../../record/envelope.ts';
import type { RecordKind } from '../../record/kinds.ts';
import { slotOf } from '../../record/registry.ts';
import type { Dht } from '../dht.ts';
import { Nudge, repeat } from '../loops.ts';
import type { Approach, StoreOptions } from '../network-records.ts';
import type { PublicationJournal, PublishedRecord } from '../ports.ts';
import {
  isOverQuota,
  isPassedOn,
  isPutOff,
  isSuccessor,
  isTaken,
  isThin,
  isUnheard,
  newestSuccessor,
  placeOf,
  refusedFor,
  waitMsOf,
} from './publication.ts';
import {
  compareUrgency,
  isExpired,
  isRepublicationDue,
  needsRenewal,
  renew,
  signerOf,
} from './renewal.ts';
import type { StoreResult } from './storing.ts';

export interface PublisherOptions {
  /** Between two looks at the journal. */
  readonly checkIntervalMs: number;
  /** The same while there is nobody to store with. */
  readonly lonelyIntervalMs: number;
  /** A record that nobody took is tried again after so long, then ever less often … */
  readonly retryMinMs: number;
  /** … up to this. */
  readonly retryMaxMs: number;
  /** The same for a record that storers have no room for: that does not pass soon. */
  readonly quotaRetryMinMs: number;
  readonly quotaRetryMaxMs: number;
  /** Between two records that are stored again: ten thousand must not go out at once. */
  readonly pauseMs: number;
  /** When storers say that it is too fast, twice as long each time, up to this. */
  readonly pauseMaxMs: number;
}

const second = 1000;
const minute = 60 * second;
/** After a wake-up others are asked first whether they are there. */
const awokenMs = 5 * second;

export const publisherDefaults: PublisherOptions = {
  checkIntervalMs: minute,
  lonelyIntervalMs: 5 * second,
  retryMinMs: minute,
  retryMaxMs: 60 * minute,
  quotaRetryMinMs: 30 * minute,
  quotaRetryMaxMs: 12 * 60 * minute,
  pauseMs: 100,
  pauseMaxMs: 10 * second,
};

/** What time it is among those that a record is for, see mode/network-clock.ts. */
export interface RecordClock {
  unixMs(): number;
  /** Whether that may be wrong: then nothing is signed anew, and nothing is forgotten. */
  isDoubtful(): boolean;
}

export interface PublisherDeps {
  readonly dht: Pick<Dht, 'store' | 'approach' | 'table'>;
  readonly journal: PublicationJournal;
  readonly world: World;
  readonly keys: { readonly author: SigningKey; readonly node: SigningKey };
  /** `networkId` of the profile. */
  readonly network: Bytes;
  readonly log: Logger;
  /** What is not brought out as long as this says so; left out: nothing. */
  readonly denies?: ((record: SignedRecord) => boolean) | undefined;
  /** The own clock when left out. */
  readonly recordClock?: RecordClock | undefined;
}

interface Retry {
  /** Monotonic. */
  readonly atMs: number;
  readonly delayMs: number;
  /** Some took it, but too few. */
  readonly held: boolean;
}

export interface PublishOptions extends Abortable {
  /** Of the record's key: those who should hold it are being found already. */
  readonly approach?: Approach | undefined;
}

export class Publisher {
  readonly #deps: PublisherDeps;
  readonly #options: PublisherOptions;
  readonly #lifetime = new AbortController();
  /** By place: when to try again what too few took, and how long to wait after that. */
  readonly #retries = new LruMap<string, Retry>(10_000);
  /** Changes of one place in the journal, one after another. */
  readonly #turns = new KeyedTurns();
  readonly #clock: RecordClock;
  readonly #nudge = new Nudge();
  /** The next look is due soon: an earlier run may have been killed before it stored anything. */
  #isAwoken = true;
  /** Whether nobody was known at the last look. */
  #wasLonely = false;
  #loop: Promise<void> | undefined;

  constructor(deps: PublisherDeps, options: Partial<PublisherOptions> = {}) {
    this.#deps = deps;
    const { clock } = deps.world;
    this.#clock = deps.recordClock ?? { unixMs: () => clock.unixMs(), isDoubtful: () => false };
    this.#options = { ...publisherDefaults, ...options };
  }

  start(): Promise<void> {
    const { world, log } = this.#deps;
    const { checkIntervalMs, lonelyIntervalMs } = this.#options;
    const { signal } = this.#lifetime;
    this.#loop ??= repeat(
      {
        name: 'republish',
        delayMs: () => {
          if (this.#isAwoken) return awokenMs;
          return this.#isLonely() ? lonelyIntervalMs : this.#jittered(checkIntervalMs);
        },
        run: (ended) => this.#check(ended),
        nudge: this.#nudge,
      },
      { timers: world.timers, log, signal },
    );
    return Promise.resolve();
  }

  /** The machine slept, or its network is another: what failed may succeed now. */
  wake(): void {
    this.#retryNow();
    this.#isAwoken = true;
    this.#nudge.now();
  }

  #retryNow(): void {
    const atMs = this.#deps.world.clock.monotonicMs();
    for (const [place, retry] of Array.from(this.#retries.entries())) {
      this.#retries.set(place, { ...retry, atMs: Math.min(retry.atMs, atMs) });
    }
  }

  async stop(): Promise<void> {
    this.#lifetime.abort(new AltNetError('ABORTED', {}));
    await this.#loop;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /**
   * Writes the record down, so that it is kept alive from now on, and stores it. One that is
   * refused because the name is another's is forgotten; a newer one of its author takes its place.
   */
  async publish(
    record: SignedRecord,
    { signal, approach }: PublishOptions = {},
  ): Promise<StoreResult> {
    signal?.throwIfAborted();
    const newer = await this.#inTurn(record, async (current) => {
      if (current && isSuccessor(current, record)) return current;
      await this.#deps.journal.put(slotOf(record), { record, publishedMs: 0 });
      return undefined;
    });
    return newer ? refusedFor(newer) : this.#store(record, { signal, approach });
  }

  /** Begins to find those who should hold a record that is yet to be made. */
  approach(key: Bytes, options: StoreOptions = {}): Approach {
    return this.#deps.dht.approach(key, options);
  }

  /** Stores a tombstone in place of what it withdraws, and again until it expires. */
  withdraw(tombstone: SignedRecord, options: PublishOptions = {}): Promise<StoreResult> {
    return this.publish(tombstone, options);
  }

  /** What is kept alive, of one kind or all; withdrawals are not among it. */
  list(kind?: RecordKind): readonly PublishedRecord[] {
    return this.#deps.journal
      .list()
      .filter(({ record }) => !record.tombstone && (kind === undefined || record.kind === kind));
  }

  /** The same of one key, at no cost however much is published. */
  under(key: Bytes): readonly PublishedRecord[] {
    return this.#deps.journal.under(key).filter(({ record }) => !record.tombstone);
  }

  #isLonely(): boolean {
    return this.#deps.dht.table.size === 0;
  }

  #jittered(ms: number): number {
    return ms * (0.75 + 0.5 * this.#deps.world.random.fraction());
  }

  async #check(signal: AbortSignal): Promise<void> {
    const { journal, log, world } = this.#deps;
    const { pauseMs, pauseMaxMs } = this.#options;
    this.#isAwoken = false;
    const isLonely = this.#isLonely();
    // What nobody answered while this node was cut off says nothing about now.
    if (this.#wasLonely && !isLonely) this.#retryNow();
    this.#wasLonely = isLonely;
    let waitMs = pauseMs;
    let isHeard = true;
    const due = journal.list().filter((entry) => this.#careFor(entry) !== 'none');
    for (const entry of due.toSorted(compareUrgency)) {
      signal.throwIfAborted();
      // Asked again: a long list takes its time.
      const care = this.#careFor(entry);
      if (care === 'none' || !this.#isCurrent(entry.record)) continue;
      // This node may be cut off without knowing: then a version that is held is left as it is.
      if (care === 'renew' && !isHeard) continue;
      const result = await this.#take(care, entry.record, signal).catch((error: unknown) => {
        // One record that cannot be helped must not keep the others from being.
        if (!signal.aborted) log.warn('cannot keep a record alive', { why: reasonOf(error) });
        return undefined;
      });
      if (!result) continue;
      isHeard = !isUnheard(result);
      waitMs = isPutOff(result) ? Math.min(2 * waitMs, pauseMaxMs) : pauseMs;
      await sleep(world.timers, waitMs, signal);
    }
  }

  #careFor(entry: PublishedRecord): 'renew' | 'forget' | 'store' | 'none' {
    const { record } = entry;
    // A withdrawal of what is denied is welcome everywhere.
    if (!record.tombstone && this.#deps.denies?.(record) === true) return 'none';
    const now = unixSeconds(this.#clock);
    if (!this.#clock.isDoubtful()) {
      const expired = isExpired(record, now);
      if (this.#keyOf(record) && needsRenewal(record, now)) {
        // While others hold this version, a newer one that reaches nobody is of no use.
        return this.#isLonely() && !expired ? 'none' : 'renew';
      }
      if (expired) return 'forget';
    }
    return !this.#isLonely() && this.#isDue(entry) ? 'store' : 'none';
  }

  async #take(
    care: 'renew' | 'forget' | 'store',
    record: SignedRecord,
    signal: AbortSignal,
  ): Promise<StoreResult | undefined> {
    const { journal, network, log } = this.#deps;
    const key = this.#keyOf(record);
    if (care === 'store') return this.#store(record, { signal });
    if (care === 'renew' && key) {
      const nowUnixSeconds = unixSeconds(this.#clock);
      const renewed = renew(record, { key, nowUnixSeconds, network });
      // Its user may have changed it meanwhile: then there is nothing to renew.
      const isOurs = await this.#ifCurrent(record, () =>
        journal.put(slotOf(renewed), { record: renewed, publishedMs: 0 }),
      );
      return isOurs && !this.#isLonely() ? this.#store(renewed, { signal }) : undefined;
    }
    if (!key) log.warn('a published record expired; its key is not here', { kind: record.kind });
    await this.#ifCurrent(record, () => journal.remove(record.key, slotOf(record)));
    return undefined;
  }

  #keyOf(record: SignedRecord): SigningKey | undefined {
    const { author, node } = this.#deps.keys;
    return signerOf(record, [author, node]);
  }

  #isDue(entry: PublishedRecord): boolean {
    const { clock } = this.#deps.world;
    // Mostly there are none, and a place costs a hash.
    const retry = this.#retries.size > 0 ? this.#retries.get(placeOf(entry.record)) : undefined;
    if (retry && clock.monotonicMs() < retry.atMs) return false;
    return retry?.held === true || isRepublicationDue(entry, this.#clock.unixMs());
  }

  async #store(record: SignedRecord, { signal, approach }: PublishOptions): Promise<StoreResult> {
    const placed = approach?.place(record) ?? this.#deps.dht.store(record, { signal });
    const result = await placed;
    // Not if a newer one came meanwhile.
    await this.#ifCurrent(record, () => this.#learn(record, result));
    return result;
  }

  /** Writes down what became of the one that is published now. */
  async #learn(record: SignedRecord, result: StoreResult): Promise<void> {
    const { journal, network, log } = this.#deps;
    const slot = slotOf(record);
    const newer = newestSuccessor(record, result);
    if (newer) {
      // From another machine, or before the journal was lost: that is what its author says now.
      log.info('a newer record of a published one was found', { kind: record.kind });
      await journal.put(slot, { record: newer, publishedMs: this.#clock.unixMs() });
    } else if (isTaken(result) || isPassedOn(record, result, network)) {
      log.warn('a published name belongs to another author', { kind: record.kind });
      await journal.remove(record.key, slot);
    } else if (result.holders.length > 0) {
      await journal.put(slot, { record, publishedMs: this.#clock.unixMs() });
      if (isPutOff(result) || isThin(result)) return this.#retryLater(record, result);
    } else {
      if (!this.#isLonely()) this.#retryLater(record, result);
      return;
    }
    this.#retries.delete(placeOf(record));
  }

  #retryLater(record: SignedRecord, result: StoreResult): void {
    const place = placeOf(record);
    const { retryMinMs, retryMaxMs, quotaRetryMinMs, quotaRetryMaxMs } = this.#options;
    const [leastMs, mostMs] = isOverQuota(result)
      ? [quotaRetryMinMs, quotaRetryMaxMs]
      : [retryMinMs, retryMaxMs];
    const before = this.#retries.get(place)?.delayMs ?? 0;
    // What one storer names must not keep a record from the others for long.
    const askedMs = isPutOff(result) ? waitMsOf(result) : 0;
    const delayMs = Math.max(leastMs, Math.min(Math.max(2 * before, askedMs), mostMs));
    const atMs = this.#deps.world.clock.monotonicMs() + delayMs;
    this.#retries.set(place, { atMs, delayMs, held: result.holders.length > 0 });
  }

  /** With what is published in the record's place, when earlier changes of it are written. */
  #inTurn<T>(
    record: SignedRecord,
    change: (current: SignedRecord | undefined) => Promise<T>,
  ): Promise<T> {
    return this.#turns.run(placeOf(record), () => change(this.#current(record)));
  }

  /** Whether the record was still what is published in its place, and so was changed. */
  #ifCurrent(record: SignedRecord, change: () => Promise<void>): Promise<boolean> {
    return this.#inTurn(record, async (current) => {
      if (!current || !equalBytes(current.hash, record.hash)) return false;
      await change();
      return true;
    });
  }

  #isCurrent(record: SignedRecord): boolean {
    const current = this.#current(record);
    return current !== undefined && equalBytes(current.hash, record.hash);
  }

  #current(record: SignedRecord): SignedRecord | undefined {
    return this.#deps.journal.get(record.key, slotOf(record))?.record;
  }
}
