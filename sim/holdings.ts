/**
 * What all simulated nodes hold. Each record is in memory once, however many nodes hold it, and the
 * observer can ask at any time how many do.
 */
import { type Bytes, compareBytes, equalBytes, toHex } from '../src/base/bytes.ts';
import type { RecordStore, StoredRecord } from '../src/dht/ports.ts';
import type { SignedRecord } from '../src/record/envelope.ts';

interface Known {
  readonly record: SignedRecord;
  holders: number;
}

export class Holdings {
  /** By hash. BOUNDED by what the nodes hold */
  readonly #known = new Map<string, Known>();
  /** In hexadecimal, the keys that nodes hand to each other. */
  readonly #places = new WeakMap<Bytes, string>();

  /** How many nodes hold exactly this record. */
  holdersOf({ hash }: SignedRecord): number {
    return this.#known.get(toHex(hash))?.holders ?? 0;
  }

  /** One more node holds it: the object that they all share. */
  take(record: SignedRecord): SignedRecord {
    const id = toHex(record.hash);
    let known = this.#known.get(id);
    if (!known) {
      known = { record, holders: 0 };
      this.#known.set(id, known);
      this.#places.set(record.key, toHex(record.key));
    }
    known.holders++;
    return known.record;
  }

  drop({ hash }: SignedRecord): void {
    const id = toHex(hash);
    const known = this.#known.get(id);
    if (known && --known.holders === 0) this.#known.delete(id);
  }

  placeOf(key: Bytes): string {
    return this.#places.get(key) ?? toHex(key);
  }
}

/** What one key holds, in order of slot; two lists of one length, as most ask for one of them. */
interface Shelf {
  /** The key in hexadecimal, which sorts as the bytes do. */
  readonly place: string;
  readonly key: Bytes;
  slots: readonly Bytes[];
  stored: readonly StoredRecord[];
}

/** One node's records. BOUNDED by who writes: the DHT's byte budget. */
export class SharedRecordStore implements RecordStore {
  readonly #holdings: Holdings;
  readonly #shelves = new Map<string, Shelf>();
  /** All shelves in order; undefined after a change of keys. */
  #order: readonly Shelf[] | undefined;

  constructor(holdings: Holdings) {
    this.#holdings = holdings;
  }

  list(key: Bytes): readonly StoredRecord[] {
    return this.#shelves.get(this.#holdings.placeOf(key))?.stored ?? [];
  }

  put(slot: Bytes, stored: StoredRecord): Promise<void> {
    const record = this.#holdings.take(stored.record);
    const shelf = this.#shelfOf(record.key);
    const { at, there } = find(shelf, slot);
    if (there) this.#holdings.drop(there.record);
    else shelf.slots = shelf.slots.toSpliced(at, 0, slot);
    shelf.stored = shelf.stored.toSpliced(at, there ? 1 : 0, { ...stored, record });
    return Promise.resolve();
  }

  remove(key: Bytes, slot: Bytes): Promise<void> {
    const shelf = this.#shelves.get(this.#holdings.placeOf(key));
    const { at, there } = shelf ? find(shelf, slot) : nowhere;
    if (!shelf || !there) return Promise.resolve();
    this.#holdings.drop(there.record);
    shelf.slots = shelf.slots.toSpliced(at, 1);
    shelf.stored = shelf.stored.toSpliced(at, 1);
    if (shelf.slots.length > 0) return Promise.resolve();
    this.#shelves.delete(shelf.place);
    this.#order = undefined;
    return Promise.resolve();
  }

  *entries(): Iterable<{ readonly slot: Bytes; readonly stored: StoredRecord }> {
    for (const { slots, stored } of this.#inOrder()) {
      for (const [i, there] of stored.entries()) {
        const slot = slots[i];
        if (slot) yield { slot, stored: there };
      }
    }
  }

  *keys(from: Bytes): Iterable<Bytes> {
    const order = this.#inOrder();
    for (let at = firstFrom(order, toHex(from)); at < order.length; at++) {
      const shelf = order[at];
      if (shelf && shelf.slots.length > 0) yield shelf.key;
    }
  }

  /** Its node is gone, and what it held with it. */
  clear(): void {
    for (const { stored } of this.entries()) this.#holdings.drop(stored.record);
    this.#shelves.clear();
    this.#order = undefined;
  }

  #shelfOf(key: Bytes): Shelf {
    const place = this.#holdings.placeOf(key);
    const known = this.#shelves.get(place);
    if (known) return known;
    const shelf: Shelf = { place, key, slots: [], stored: [] };
    this.#shelves.set(place, shelf);
    this.#order = undefined;
    return shelf;
  }

  #inOrder(): readonly Shelf[] {
    this.#order ??= [...this.#shelves.values()].toSorted((a, b) => (a.place < b.place ? -1 : 1));
    return this.#order;
  }
}

interface Found {
  readonly at: number;
  readonly there: StoredRecord | undefined;
}

const nowhere: Found = { at: 0, there: undefined };

/** Where a slot stands or would stand, and what is in it. */
function find({ slots, stored }: Shelf, slot: Bytes): Found {
  const at = slots.findIndex((other) => compareBytes(other, slot) >= 0);
  if (at < 0) return { at: slots.length, there: undefined };
  const isThere = slots[at] !== undefined && equalBytes(slots[at], slot);
  return { at, there: isThere ? stored[at] : undefined };
}

/** The place of the first in `order` that is not before `text`. */
function firstFrom(order: readonly Shelf[], text: string): number {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((order[middle]?.place ?? '') < text) low = middle + 1;
    else high = middle;
  }
  return low;
}
