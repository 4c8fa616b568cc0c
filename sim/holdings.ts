/**
 * What all simulated nodes hold. Each record is in memory once, however many nodes hold it, and the
 * observer can ask at any time how many do.
 */
import { type Bytes, compareBytes, equalBytes, toHex } from '../src/base/bytes.ts';
import type { RecordStore, StoredRecord } from '../src/dht/ports.ts';
import type { SignedRecord } from '../src/record/envelope.ts';

interface Known {
  readonly record: SignedRecord;
  /** Its key in hexadecimal, for all stores. */
  readonly place: string;
  holders: number;
}

export class Holdings {
  /** By hash. BOUNDED by what the nodes hold */
  readonly #known = new Map<string, Known>();

  /** How many nodes hold exactly this record. */
  holdersOf({ hash }: SignedRecord): number {
    return this.#known.get(toHex(hash))?.holders ?? 0;
  }

  take(record: SignedRecord): Known {
    const id = toHex(record.hash);
    let known = this.#known.get(id);
    if (!known) {
      known = { record, place: toHex(record.key), holders: 0 };
      this.#known.set(id, known);
    }
    known.holders++;
    return known;
  }

  drop({ hash }: SignedRecord): void {
    const id = toHex(hash);
    const known = this.#known.get(id);
    if (known && --known.holders === 0) this.#known.delete(id);
  }
}

interface Entry {
  readonly slot: Bytes;
  readonly stored: StoredRecord;
}

/** One node's records. BOUNDED by who writes: the DHT's byte budget. */
export class SharedRecordStore implements RecordStore {
  readonly #holdings: Holdings;
  /** By key in hexadecimal, which sorts as the bytes do; those under a key in order of slot. */
  readonly #keys = new Map<string, readonly Entry[]>();
  /** All keys in order; undefined after a change. */
  #order: readonly string[] | undefined;

  constructor(holdings: Holdings) {
    this.#holdings = holdings;
  }

  list(key: Bytes): readonly StoredRecord[] {
    return this.#keys.get(toHex(key))?.map(({ stored }) => stored) ?? [];
  }

  put(slot: Bytes, stored: StoredRecord): Promise<void> {
    const { record, place } = this.#holdings.take(stored.record);
    const before = this.#keys.get(place) ?? [];
    const replaced = before.find((entry) => equalBytes(entry.slot, slot));
    if (replaced) this.#holdings.drop(replaced.stored.record);
    const entry = { slot: replaced?.slot ?? slot, stored: { ...stored, record } };
    const others = before.filter((other) => other !== replaced);
    const entries = [...others, entry].toSorted((a, b) => compareBytes(a.slot, b.slot));
    if (before.length === 0) this.#order = undefined;
    this.#keys.set(place, entries);
    return Promise.resolve();
  }

  remove(key: Bytes, slot: Bytes): Promise<void> {
    const place = toHex(key);
    const before = this.#keys.get(place) ?? [];
    const removed = before.find((entry) => equalBytes(entry.slot, slot));
    if (!removed) return Promise.resolve();
    this.#holdings.drop(removed.stored.record);
    const others = before.filter((other) => other !== removed);
    if (others.length > 0) {
      this.#keys.set(place, others);
    } else {
      this.#keys.delete(place);
      this.#order = undefined;
    }
    return Promise.resolve();
  }

  *entries(): Iterable<Entry> {
    for (const place of this.#inOrder()) yield* this.#keys.get(place) ?? [];
  }

  *keys(from: Bytes): Iterable<Bytes> {
    const first = toHex(from);
    for (const place of this.#inOrder()) {
      const [entry] = place < first ? [] : (this.#keys.get(place) ?? []);
      if (entry) yield entry.stored.record.key;
    }
  }

  /** Its node is gone, and what it held with it. */
  clear(): void {
    for (const { stored } of this.entries()) this.#holdings.drop(stored.record);
    this.#keys.clear();
    this.#order = undefined;
  }

  #inOrder(): readonly string[] {
    this.#order ??= [...this.#keys.keys()].toSorted();
    return this.#order;
  }
}
