/**
 * Small things to remember across restarts (peers met, owners of names seen), as bytes under a
 * text. Who writes them chooses the encoding and keeps their number in bounds.
 */
import { type Bytes, parseUtf8, utf8 } from '../base/bytes.ts';
import type { Environment } from './environment.ts';
import type { Table } from './table.ts';
import { prefixRange } from './tables.ts';

export interface Note {
  /** 1 to 200 characters; parts are divided by "/": "pin/6ab0…". */
  readonly name: string;
  readonly value: Bytes;
}

export class NoteStore {
  readonly #environment: Environment;
  readonly #table: Table;

  constructor(environment: Environment) {
    this.#environment = environment;
    this.#table = environment.table('notes');
  }

  get(name: string): Bytes | undefined {
    return this.#table.get(utf8(name));
  }

  /** All whose name begins with `prefix`, in order of name: a state of one moment. */
  list(prefix: string): Note[] {
    return this.#table.entries(prefixRange(utf8(prefix))).map(({ key, value }) => ({
      name: parseUtf8(key) ?? '',
      value,
    }));
  }

  /** Resolves when a crash of this process can no longer undo it. */
  async put(name: string, value: Bytes): Promise<void> {
    const key = utf8(name);
    const own = value.slice();
    await this.#environment.commit((changes) => changes.put(this.#table, { key, value: own }));
  }

  /** All or none; at most some hundred. Resolves like `put`. */
  async putAll(notes: readonly Note[]): Promise<void> {
    const own = notes.map(({ name, value }) => ({ key: utf8(name), value: value.slice() }));
    await this.#environment.commit((changes) => {
      for (const { key, value } of own) changes.put(this.#table, { key, value });
    });
  }

  async removeAll(names: readonly string[]): Promise<void> {
    await this.#environment.commit((changes) => {
      for (const name of names) changes.remove(this.#table, utf8(name));
    });
  }
}
