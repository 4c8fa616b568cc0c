/** What this node's own users published, in LMDB: it outlives the process and is kept alive. */
import type { Bytes } from '../base/bytes.ts';
import type { PublicationJournal, PublishedRecord } from '../dht/ports.ts';
import type { Environment, Table } from './environment.ts';
import { decodePublishedRecord, encodePublishedRecord, encodeSlotKey } from './record-codec.ts';
import { tableEntries } from './tables.ts';

export class LmdbPublicationJournal implements PublicationJournal {
  readonly #environment: Environment;
  readonly #table: Table;

  constructor(environment: Environment) {
    this.#environment = environment;
    this.#table = environment.table('journal');
  }

  list(): readonly PublishedRecord[] {
    const found: PublishedRecord[] = [];
    for (const { value } of tableEntries(this.#table)) {
      const published = decodePublishedRecord(value);
      if (published) found.push(published);
    }
    return found;
  }

  async put(slot: Bytes, published: PublishedRecord): Promise<void> {
    const key = encodeSlotKey(published.record.key, slot);
    const value = encodePublishedRecord(published);
    await this.#environment.commit((changes) => changes.put(this.#table, { key, value }));
  }

  async remove(key: Bytes, slot: Bytes): Promise<void> {
    const slotKey = encodeSlotKey(key, slot);
    await this.#environment.commit((changes) => changes.remove(this.#table, slotKey));
  }
}
