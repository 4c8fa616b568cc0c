/** The records that this node holds for others, in LMDB. It does not judge them: the DHT did. */
import { type Bytes, compareBytes, equalBytes, toHex } from '../base/bytes.ts';
import { LruMap } from '../base/limits.ts';
import type { RecordStore, StoredRecord } from '../dht/ports.ts';
import type { Environment } from './environment.ts';
import {
  decodeStoredRecord,
  encodeSlotKey,
  encodeStoredRecord,
  keyOf,
  slotOf,
} from './record-codec.ts';
import type { Table } from './table.ts';
import { prefixRange, tableEntries, tableKeys } from './tables.ts';

/** Keys whose records are kept decoded: those that many ask for, or store under, at the moment. */
const recentMax = 64;

interface Recent {
  readonly slots: readonly Bytes[];
  /** In the same order. */
  readonly records: readonly StoredRecord[];
}

export class LmdbRecordStore implements RecordStore {
  readonly #environment: Environment;
  readonly #table: Table;
  readonly #recent = new LruMap<string, Recent>(recentMax);

  constructor(environment: Environment) {
    this.#environment = environment;
    this.#table = environment.table('records');
  }

  list(key: Bytes): readonly StoredRecord[] {
    const id = toHex(key);
    const recent = this.#recent.get(id);
    if (recent) return recent.records;
    const slots: Bytes[] = [];
    const records: StoredRecord[] = [];
    for (const { key: slotKey, value } of this.#table.entries(prefixRange(key))) {
      const stored = decodeStoredRecord(value);
      if (!stored) continue;
      slots.push(slotOf(slotKey));
      records.push(stored);
    }
    if (records.length > 0) this.#recent.set(id, { slots, records });
    return records;
  }

  async put(slot: Bytes, stored: StoredRecord): Promise<void> {
    const key = encodeSlotKey(stored.record.key, slot);
    const value = encodeStoredRecord(stored);
    await this.#environment.commit((changes) => changes.put(this.#table, { key, value }));
    this.#replace(stored.record.key, slot, [stored]);
  }

  async remove(key: Bytes, slot: Bytes): Promise<void> {
    const slotKey = encodeSlotKey(key, slot);
    await this.#environment.commit((changes) => changes.remove(this.#table, slotKey), {
      removesOnly: true,
    });
    this.#replace(key, slot, []);
  }

  *entries(): Iterable<{ readonly slot: Bytes; readonly stored: StoredRecord }> {
    for (const { key, value } of tableEntries(this.#table)) {
      const stored = decodeStoredRecord(value);
      if (stored) yield { slot: slotOf(key), stored };
    }
  }

  *keys(from: Bytes): Iterable<Bytes> {
    let last: Bytes | undefined;
    for (const slotKey of tableKeys(this.#table, from)) {
      const key = keyOf(slotKey);
      if (last && equalBytes(key, last)) continue;
      last = key;
      yield key;
    }
  }

  /** What was written, in what is kept decoded: a full key is not read anew for each new record. */
  #replace(key: Bytes, slot: Bytes, by: readonly StoredRecord[]): void {
    const id = toHex(key);
    const recent = this.#recent.get(id);
    if (!recent) return;
    const { slots, records } = recent;
    const found = slots.findIndex((other) => compareBytes(other, slot) >= 0);
    const at = found < 0 ? slots.length : found;
    const there = slots.slice(at, at + 1).some((other) => equalBytes(other, slot)) ? 1 : 0;
    this.#recent.set(id, {
      slots: slots.toSpliced(at, there, ...by.map(() => slot)),
      records: records.toSpliced(at, there, ...by),
    });
  }
}
