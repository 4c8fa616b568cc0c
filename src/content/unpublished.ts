/**
 * What this node's user published and then took back: for a week nobody gets it stored here again,
 * or those who still hold it would bring it back within the hour. Owns the form of these notes and
 * their bounds; it removes nothing itself.
 */
import { asBuffer, type Bytes, toHex } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';

/** The notes of the store. */
export interface UnpublishedNotes {
  get(name: string): Bytes | undefined;
  list(prefix: string): readonly { readonly name: string; readonly value: Bytes }[];
  put(name: string, value: Bytes): Promise<void>;
  removeAll(names: readonly string[]): Promise<void>;
}

const prefix = 'unpublished/';
const keptMs = 7 * 86_400_000;
const rootsMax = 1024;

export class Unpublished {
  readonly #notes: UnpublishedNotes;
  readonly #clock: Clock;

  constructor(notes: UnpublishedNotes, clock: Clock) {
    this.#notes = notes;
    this.#clock = clock;
  }

  has(hash: Bytes): boolean {
    const value = this.#notes.get(nameOf(hash));
    return value !== undefined && this.#isDue(value);
  }

  /** The oldest make room. */
  async add(hash: Bytes): Promise<void> {
    const name = nameOf(hash);
    const others = this.#notes.list(prefix).filter((note) => note.name !== name);
    const due = others.filter(({ value }) => this.#isDue(value));
    const oldest = due.toSorted((a, b) => sinceMs(a.value) - sinceMs(b.value));
    const surplus = oldest.slice(0, Math.max(0, due.length + 1 - rootsMax));
    const gone = [...others.filter(({ value }) => !this.#isDue(value)), ...surplus];
    if (gone.length > 0) await this.#notes.removeAll(gone.map((note) => note.name));
    const value = Buffer.alloc(8);
    value.writeBigUInt64BE(BigInt(Math.max(0, Math.floor(this.#clock.unixMs()))));
    await this.#notes.put(name, value);
  }

  async forget(hash: Bytes): Promise<void> {
    const name = nameOf(hash);
    if (this.#notes.get(name)) await this.#notes.removeAll([name]);
  }

  /** A clock that was set back makes none of them last for ever. */
  #isDue(value: Bytes): boolean {
    return Math.abs(this.#clock.unixMs() - sinceMs(value)) < keptMs;
  }
}

function nameOf(hash: Bytes): string {
  return prefix + toHex(hash);
}

/** Unix milliseconds. */
function sinceMs(value: Bytes): number {
  return value.length === 8 ? Number(asBuffer(value).readBigUInt64BE()) : 0;
}
