/**
 * Keeps alive what this node's users published: written down first, stored with others, stored
 * again at the interval of its kind, and signed anew before it expires.
 */
import { type Bytes, equalBytes, toHex } from '../base/bytes.ts';
import { unixSeconds, type World } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import { LruMap } from '../base/limits.ts';
import type { Logger } from '../base/logger.ts';
import type { SigningKey } from '../identity/key.ts';
import { compareRecords, type SignedRecord } from '../record/envelope.ts';
import { type RecordKind, storeStatuses } from '../record/kinds.ts';
import { slotOf } from '../record/registry.ts';
import type { Abortable, Dht } from './dht.ts';
import { repeat } from './loops.ts';
import type { PublicationJournal, PublishedRecord } from './ports.ts';
import { isExpired, isRepublicationDue, needsRenewal, renew, signerOf } from './renewal.ts';
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
}

const second = 1000;
const minute = 60 * second;

export const publisherDefaults: PublisherOptions = {
  checkIntervalMs: minute,
  lonelyIntervalMs: 5 * second,
  retryMinMs: minute,
  retryMaxMs: 60 * minute,
};

export interface PublisherDeps {
  readonly dht: Pick<Dht, 'store' | 'table'>;
  readonly journal: PublicationJournal;
  readonly world: World;
  readonly keys: { readonly author: SigningKey; readonly node: SigningKey };
  /** `networkId` of the profile. */
  readonly network: Bytes;
  readonly log: Logger;
}

export class Publisher {
  readonly #deps: PublisherDeps;
  readonly #options: PublisherOptions;
  readonly #lifetime = new AbortController();
  /** By place: when to try again what nobody took, and how long to wait after that. */
  readonly #retries = new LruMap<string, { atMs: number; delayMs: number }>(10_000);
  #loop: Promise<void> | undefined;

  constructor(deps: PublisherDeps, options: Partial<PublisherOptions> = {}) {
    this.#deps = deps;
    this.#options = { ...publisherDefaults, ...options };
  }

  start(): Promise<void> {
    const { world, log } = this.#deps;
    const { checkIntervalMs, lonelyIntervalMs } = this.#options;
    const { signal } = this.#lifetime;
    this.#loop ??= repeat(
      {
        name: 'republish',
        delayMs: () => (this.#isLonely() ? lonelyIntervalMs : this.#jittered(checkIntervalMs)),
        run: (ended) => this.#check(ended),
      },
      { timers: world.timers, log, signal },
    );
    return Promise.resolve();
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
  async publish(record: SignedRecord, { signal }: Abortable = {}): Promise<StoreResult> {
    signal?.throwIfAborted();
    const newer = this.#successorOf(record);
    if (newer) return refusedFor(newer);
    await this.#deps.journal.put(slotOf(record), { record, publishedMs: 0 });
    return this.#store(record, signal);
  }

  /** Stores a tombstone in place of what it withdraws, and again until it expires. */
  withdraw(tombstone: SignedRecord, options: Abortable = {}): Promise<StoreResult> {
    return this.publish(tombstone, options);
  }

  /** What is kept alive, of one kind or all; withdrawals are not among it. */
  list(kind?: RecordKind): readonly PublishedRecord[] {
    return this.#deps.journal
      .list()
      .filter(({ record }) => !record.tombstone && (kind === undefined || record.kind === kind));
  }

  #isLonely(): boolean {
    return this.#deps.dht.table.size === 0;
  }

  #jittered(ms: number): number {
    return ms * (0.75 + 0.5 * this.#deps.world.random.fraction());
  }

  async #check(signal: AbortSignal): Promise<void> {
    const { journal, log } = this.#deps;
    for (const entry of journal.list()) {
      signal.throwIfAborted();
      const care = this.#careFor(entry);
      if (care === 'none' || !this.#isCurrent(entry.record)) continue;
      await this.#take(care, entry.record, signal).catch((error: unknown) => {
        // One record that cannot be helped must not keep the others from being.
        if (!signal.aborted) log.warn('cannot keep a record alive', { error: String(error) });
      });
    }
  }

  #careFor(entry: PublishedRecord): 'renew' | 'forget' | 'store' | 'none' {
    const { record } = entry;
    const now = unixSeconds(this.#deps.world.clock);
    if (this.#keyOf(record) && needsRenewal(record, now)) return 'renew';
    if (isExpired(record, now)) return 'forget';
    return !this.#isLonely() && this.#isDue(entry) ? 'store' : 'none';
  }

  async #take(
    care: 'renew' | 'forget' | 'store',
    record: SignedRecord,
    signal: AbortSignal,
  ): Promise<void> {
    const { journal, world, network, log } = this.#deps;
    const key = this.#keyOf(record);
    if (care === 'store') {
      await this.#store(record, signal);
    } else if (care === 'renew' && key) {
      const nowUnixSeconds = unixSeconds(world.clock);
      await this.publish(renew(record, { key, nowUnixSeconds, network }), { signal });
    } else {
      if (!key) log.warn('a published record expired; its key is not here', { kind: record.kind });
      await journal.remove(record.key, slotOf(record));
    }
  }

  #keyOf(record: SignedRecord): SigningKey | undefined {
    const { author, node } = this.#deps.keys;
    return signerOf(record, [author, node]);
  }

  #isDue(entry: PublishedRecord): boolean {
    const nowMs = this.#deps.world.clock.unixMs();
    if (!isRepublicationDue(entry, nowMs)) return false;
    const retry = this.#retries.get(placeOf(entry.record));
    return retry === undefined || this.#deps.world.clock.monotonicMs() >= retry.atMs;
  }

  async #store(record: SignedRecord, signal: AbortSignal | undefined): Promise<StoreResult> {
    const { dht, journal, world, log } = this.#deps;
    const result = await dht.store(record, { signal });
    if (!this.#isCurrent(record)) return result; // a newer one came meanwhile
    const slot = slotOf(record);
    const newer = newestSuccessor(record, result);
    if (newer) {
      // From another machine, or before the journal was lost: that is what its author says now.
      log.info('a newer record of a published one was found', { kind: record.kind });
      await journal.put(slot, { record: newer, publishedMs: world.clock.unixMs() });
      this.#retries.delete(placeOf(record));
    } else if (isTaken(result)) {
      log.warn('a published name belongs to another author', { kind: record.kind });
      await journal.remove(record.key, slot);
      this.#retries.delete(placeOf(record));
    } else if (result.holders.length > 0) {
      await journal.put(slot, { record, publishedMs: world.clock.unixMs() });
      this.#retries.delete(placeOf(record));
    } else if (!this.#isLonely()) {
      this.#retryLater(record);
    }
    return result;
  }

  #retryLater(record: SignedRecord): void {
    const place = placeOf(record);
    const { retryMinMs, retryMaxMs } = this.#options;
    const before = this.#retries.get(place)?.delayMs;
    const delayMs = before === undefined ? retryMinMs : Math.min(2 * before, retryMaxMs);
    this.#retries.set(place, { atMs: this.#deps.world.clock.monotonicMs() + delayMs, delayMs });
  }

  #successorOf(record: SignedRecord): SignedRecord | undefined {
    const published = this.#deps.journal.list().find((other) => isSuccessor(other.record, record));
    return published?.record;
  }

  #isCurrent({ hash }: SignedRecord): boolean {
    return this.#deps.journal.list().some(({ record }) => equalBytes(record.hash, hash));
  }
}

/** What its author published after it, as storers have shown. */
function newestSuccessor(
  record: SignedRecord,
  { refusals }: StoreResult,
): SignedRecord | undefined {
  return refusals
    .flatMap(({ conflicting }) => conflicting)
    .filter((other) => isSuccessor(other, record))
    .toSorted((a, b) => compareRecords(b, a))
    .at(0);
}

/**
 * Whether it makes no sense to go on, as the name is another's at most of those who should hold it.
 * Fewer do not decide: while the others cannot be reached, one storer could end a name.
 */
function isTaken({ stored, asked, refusals }: StoreResult): boolean {
  const taken = refusals.find(({ status }) => status === storeStatuses.NAME_TAKEN);
  return stored === 0 && taken !== undefined && taken.count * 2 > asked;
}

/** As a storer that has the newer record would answer. */
function refusedFor(newer: SignedRecord): StoreResult {
  const refusal = { status: storeStatuses.SEQ_OLD, count: 1, conflicting: [newer] };
  return { stored: 0, asked: 0, refusals: [refusal], holders: [] };
}

function isSuccessor(other: SignedRecord, record: SignedRecord): boolean {
  if (!equalBytes(other.key, record.key)) return false;
  const sameAuthor = equalBytes(other.author, record.author);
  const sameSlot = other.kind === record.kind && equalBytes(slotOf(other), slotOf(record));
  return sameAuthor && sameSlot && compareRecords(other, record) > 0;
}

function placeOf(record: SignedRecord): string {
  return `${toHex(record.key)}/${toHex(slotOf(record))}`;
}
