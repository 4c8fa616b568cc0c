/** The notes of a store, in memory. BOUNDED by the test. */
import type { Bytes } from '../../src/base/bytes.ts';

export class MemoryNotes {
  readonly #notes = new Map<string, Bytes>();

  get(name: string): Bytes | undefined {
    return this.#notes.get(name);
  }

  list(prefix: string): { name: string; value: Bytes }[] {
    const all = [...this.#notes].map(([name, value]) => ({ name, value }));
    return all.filter(({ name }) => name.startsWith(prefix));
  }

  async put(name: string, value: Bytes): Promise<void> {
    this.#notes.set(name, value.slice());
  }

  async putAll(notes: readonly { readonly name: string; readonly value: Bytes }[]): Promise<void> {
    for (const { name, value } of notes) this.#notes.set(name, value.slice());
  }

  async removeAll(names: readonly string[]): Promise<void> {
    for (const name of names) this.#notes.delete(name);
  }
}
