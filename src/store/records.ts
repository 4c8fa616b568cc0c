/** The records that this node holds for others, in LMDB. It does not judge them: the DHT did. */
import { type Bytes, equalBytes, toHex } from '../base/bytes.ts';
import { LruMap } from '../base/limits.ts';
import type { RecordStore, StoredRecord } from '../dht/ports.ts';
import type { Environment, Table } from './environment.ts';
import {
  decodeStoredRecord,
  encodeSlotKey,
  encodeStoredRecord,
  keyOf,
  slotOf,
} from './record-codec.ts';
import { prefixRange, tableEntries, tableKeys } from './tables.ts';

/** Keys whose records are kept decoded: those that many ask for at the moment. */
const recentMax = 64;

export class LmdbRecordStore implements RecordStore {
  readonly #environment: Environment;
  readonly #table: Table;
  readonly #recent = new LruMap<string, readonly StoredRecord[]>(recentMax);

  constructor(environment: Environment) {
    this.#environment = environment;
    this.#table = environment.table('records');
  }

  list(key: Bytes): readonly StoredRecord[] {
    const id = toHex(key);
    const recent = this.#recent.get(id);
    if (recent) return recent;
    const found: StoredRecord[] = [];
    for (const { value } of this.#table.getRange(prefixRange(key))) {
      const stored = decodeStoredRecord(value);
      if (stored) found.push(stored);
    }
    if (found.length > 0) this.#recent.set(id, found);
    return found;
  }

  async put(slot: Bytes, stored: StoredRecord): Promise<void> {
    const key = encodeSlotKey(stored.record.key, slot);
    const value = encodeStoredRecord(stored);
    await this.#environment.commit((changes) => changes.put(this.#table, { key, value }));
    this.#recent.delete(toHex(stored.record.key));
  }

  async remove(key: Bytes, slot: Bytes): Promise<void> {
    const slotKey = encodeSlotKey(key, slot);
    await this.#environment.commit((changes) => changes.remove(this.#table, slotKey), {
      removesOnly: true,
    });
    this.#recent.delete(toHex(key));
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
}
