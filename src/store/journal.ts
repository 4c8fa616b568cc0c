/**
 * What this node's own users published, in LMDB: it outlives the process and is kept alive. The
 * publisher reads the whole list often, so it is also held in memory, decoded.
 */
import { type Bytes, toHex } from '../base/bytes.ts';
import type { PublicationJournal, PublishedRecord } from '../dht/ports.ts';
import type { Environment, Table } from './environment.ts';
import { decodePublishedRecord, encodePublishedRecord, encodeSlotKey } from './record-codec.ts';
import { tableEntries } from './tables.ts';

export class LmdbPublicationJournal implements PublicationJournal {
  readonly #environment: Environment;
  readonly #table: Table;
  /** By place. BOUNDED by what this node's users publish; it has the same entries as the table. */
  readonly #entries = new Map<string, PublishedRecord>();
  #list: readonly PublishedRecord[] | undefined;

  constructor(environment: Environment) {
    this.#environment = environment;
    this.#table = environment.table('journal');
    for (const { key, value } of tableEntries(this.#table)) {
      const published = decodePublishedRecord(value);
      if (published) this.#entries.set(toHex(key), published);
    }
  }

  list(): readonly PublishedRecord[] {
    this.#list ??= [...this.#entries.values()];
    return this.#list;
  }

  get(key: Bytes, slot: Bytes): PublishedRecord | undefined {
    return this.#entries.get(toHex(encodeSlotKey(key, slot)));
  }

  async put(slot: Bytes, published: PublishedRecord): Promise<void> {
    const key = encodeSlotKey(published.record.key, slot);
    const value = encodePublishedRecord(published);
    await this.#environment.commit((changes) => changes.put(this.#table, { key, value }));
    this.#entries.set(toHex(key), published);
    this.#list = undefined;
  }

  async remove(key: Bytes, slot: Bytes): Promise<void> {
    const slotKey = encodeSlotKey(key, slot);
    await this.#environment.commit((changes) => changes.remove(this.#table, slotKey), {
      removesOnly: true,
    });
    this.#entries.delete(toHex(slotKey));
    this.#list = undefined;
  }
}
