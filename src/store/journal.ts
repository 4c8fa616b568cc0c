/**
 * What this node's own users published, in LMDB: it outlives the process and is kept alive. The
 * publisher reads the whole list often, so it is also held in memory, decoded.
 */
import { type Bytes, toHex } from '../base/bytes.ts';
import type { PublicationJournal, PublishedRecord } from '../dht/ports.ts';
import type { Environment } from './environment.ts';
import {
  decodePublishedRecord,
  encodePublishedRecord,
  encodeSlotKey,
  slotIn,
} from './record-codec.ts';
import type { Table } from './table.ts';
import { tableEntries } from './tables.ts';

export class LmdbPublicationJournal implements PublicationJournal {
  readonly #environment: Environment;
  readonly #table: Table;
  /** By key, then slot. BOUNDED by what this node's users publish; as the table has it. */
  readonly #entries = new Map<string, Map<string, PublishedRecord>>();
  #list: readonly PublishedRecord[] | undefined;

  constructor(environment: Environment) {
    this.#environment = environment;
    this.#table = environment.table('journal');
    for (const { key, value } of tableEntries(this.#table)) {
      const published = decodePublishedRecord(value);
      if (published) this.#enter(slotIn(key), published);
    }
  }

  list(): readonly PublishedRecord[] {
    this.#list ??= [...this.#entries.values()].flatMap((slots) => [...slots.values()]);
    return this.#list;
  }

  get(key: Bytes, slot: Bytes): PublishedRecord | undefined {
    return this.#entries.get(toHex(key))?.get(toHex(slot));
  }

  under(key: Bytes): readonly PublishedRecord[] {
    return [...(this.#entries.get(toHex(key))?.values() ?? [])];
  }

  async put(slot: Bytes, published: PublishedRecord): Promise<void> {
    const key = encodeSlotKey(published.record.key, slot);
    const value = encodePublishedRecord(published);
    await this.#environment.commit((changes) => changes.put(this.#table, { key, value }));
    this.#enter(slot, published);
    this.#list = undefined;
  }

  async remove(key: Bytes, slot: Bytes): Promise<void> {
    const slotKey = encodeSlotKey(key, slot);
    await this.#environment.commit((changes) => changes.remove(this.#table, slotKey), {
      removesOnly: true,
    });
    const slots = this.#entries.get(toHex(key));
    slots?.delete(toHex(slot));
    if (slots?.size === 0) this.#entries.delete(toHex(key));
    this.#list = undefined;
  }

  #enter(slot: Bytes, published: PublishedRecord): void {
    const key = toHex(published.record.key);
    const slots = this.#entries.get(key) ?? new Map<string, PublishedRecord>(); // BOUNDED likewise
    this.#entries.set(key, slots);
    slots.set(toHex(slot), published);
  }
}
