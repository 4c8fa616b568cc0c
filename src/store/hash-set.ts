/**
 * Many hashes, of which some are found and taken out. A Set of texts would need a text for each,
 * and for each that is looked up, which takes several times as long. It knows no tables.
 */
import type { Bytes } from '../base/bytes.ts';

const hashBytes = 32;
/** Of the slots, at most so many are taken: most hashes stand where they are looked for first. */
const fullness = 1 / 2;

export class HashSet {
  /** Those that are not taken out, once each. BOUNDED by what was given */
  readonly #hashes: readonly Bytes[];
  /** 1 + the place of a hash; where two want the same slot, the later one has the next. */
  readonly #slots: Uint32Array;
  readonly #mask: number;
  readonly #isTaken: Uint8Array;

  /** Of 32 bytes each. */
  constructor(hashes: readonly Bytes[]) {
    const slots = 2 ** Math.ceil(Math.log2(hashes.length / fullness + 2));
    this.#hashes = hashes;
    this.#slots = new Uint32Array(slots);
    this.#mask = slots - 1;
    this.#isTaken = new Uint8Array(hashes.length);
    for (const [place, hash] of hashes.entries()) {
      const slot = this.#slotOf(hash, 0);
      if (this.#slots[slot] === 0) this.#slots[slot] = place + 1;
      else this.#isTaken[place] = 1; // it is there already
    }
  }

  /** The place of the hash that stands in `bytes` from `at` on; undefined when it is not in it. */
  find(bytes: Bytes, at: number): number | undefined {
    const place = (this.#slots[this.#slotOf(bytes, at)] ?? 0) - 1;
    return place >= 0 && this.#isTaken[place] === 0 ? place : undefined;
  }

  takeOut(place: number): void {
    this.#isTaken[place] = 1;
  }

  rest(): Bytes[] {
    return this.#hashes.filter((_, place) => this.#isTaken[place] === 0);
  }

  /** Where it stands, or would. */
  #slotOf(bytes: Bytes, at: number): number {
    let slot = wordAt(bytes, at) & this.#mask;
    for (;;) {
      const place = (this.#slots[slot] ?? 0) - 1;
      const hash = place >= 0 ? this.#hashes[place] : undefined;
      if (!hash || isSame(hash, bytes, at)) return slot;
      slot = (slot + 1) & this.#mask;
    }
  }
}

function wordAt(bytes: Bytes, at: number): number {
  return ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
}

function isSame(hash: Bytes, bytes: Bytes, at: number): boolean {
  for (let i = 0; i < hashBytes; i++) if (hash[i] !== bytes[at + i]) return false;
  return true;
}
