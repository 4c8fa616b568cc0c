/**
 * The DHT's storage ports in memory, for tests and the simulator: nothing survives the process.
 * Production keeps records with `store` and never uses these.
 */
import { type Bytes, parseHex, toHex } from '../../src/base/bytes.ts';
import type {
  PublicationJournal,
  PublishedRecord,
  RecordStore,
  StoredRecord,
} from '../../src/dht/ports.ts';

/** BOUNDED by who writes: the DHT's byte budget. */
export class MemoryRecordStore implements RecordStore {
  readonly #keys = new Map<string, Map<string, StoredRecord>>();

  list(key: Bytes): readonly StoredRecord[] {
    const slots = this.#keys.get(toHex(key));
    return slots ? inOrder(slots).map(([, stored]) => stored) : [];
  }

  put(slot: Bytes, stored: StoredRecord): Promise<void> {
    const key = toHex(stored.record.key);
    const slots = this.#keys.get(key) ?? new Map<string, StoredRecord>();
    this.#keys.set(key, slots.set(toHex(slot), stored));
    return Promise.resolve();
  }

  remove(key: Bytes, slot: Bytes): Promise<void> {
    const slots = this.#keys.get(toHex(key));
    if (slots?.delete(toHex(slot)) && slots.size === 0) this.#keys.delete(toHex(key));
    return Promise.resolve();
  }

  *entries(): Iterable<{ readonly slot: Bytes; readonly stored: StoredRecord }> {
    for (const [, slots] of inOrder(this.#keys)) {
      for (const [slot, stored] of inOrder(slots)) {
        yield { slot: parseHex(slot) ?? new Uint8Array(), stored };
      }
    }
  }

  *keys(from: Bytes): Iterable<Bytes> {
    const first = toHex(from);
    const keys = [...this.#keys.keys()].filter((key) => key >= first).toSorted();
    for (const key of keys) yield parseHex(key) ?? new Uint8Array();
  }
}

/** BOUNDED by who writes: what this node's users publish. */
export class MemoryPublicationJournal implements PublicationJournal {
  readonly #entries = new Map<string, PublishedRecord>();

  list(): readonly PublishedRecord[] {
    return [...this.#entries.values()];
  }

  get(key: Bytes, slot: Bytes): PublishedRecord | undefined {
    return this.#entries.get(`${toHex(key)}/${toHex(slot)}`);
  }

  under(key: Bytes): readonly PublishedRecord[] {
    return this.list().filter(({ record }) => toHex(record.key) === toHex(key));
  }

  put(slot: Bytes, published: PublishedRecord): Promise<void> {
    this.#entries.set(`${toHex(published.record.key)}/${toHex(slot)}`, published);
    return Promise.resolve();
  }

  remove(key: Bytes, slot: Bytes): Promise<void> {
    this.#entries.delete(`${toHex(key)}/${toHex(slot)}`);
    return Promise.resolve();
  }
}

/** A copy, by key: hexadecimal sorts as the bytes do. */
function inOrder<V>(map: ReadonlyMap<string, V>): [string, V][] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
}
