/**
 * Many hashes, of which some are found and taken out. A Set of texts would need a text for each,
 * and for each that is looked up, which takes several times as long. It knows no tables.
 */
import type { Bytes } from '../base/bytes.ts';

const hashBytes = 32;
/** Of the slots, at most so many are taken: most hashes stand where they are looked for first. */
const fullness = 1 / 2;

export class HashSet {
  /** One after the other. BOUNDED by what was given */
  readonly #hashes: Buffer;
  /** 1 + the place of a hash; where two want the same slot, the later one has the next. */
  readonly #slots: Uint32Array;
  readonly #mask: number;
  readonly #isTaken: Uint8Array;

  /** Of 32 bytes each. */
  constructor(hashes: Iterable<Bytes>) {
    this.#hashes = joined(hashes);
    const count = this.#hashes.length / hashBytes;
    const slots = 2 ** Math.ceil(Math.log2(count / fullness + 2));
    this.#slots = new Uint32Array(slots);
    this.#mask = slots - 1;
    this.#isTaken = new Uint8Array(count);
    for (let place = 0; place < count; place++) {
      const slot = this.#slotOf(this.#hashes, place * hashBytes);
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

  /** Those that are not taken out, once each. */
  rest(): Bytes[] {
    const rest: Bytes[] = []; // BOUNDED by what was given
    for (const [place, isTaken] of this.#isTaken.entries()) {
      const at = place * hashBytes;
      if (isTaken === 0) rest.push(this.#hashes.subarray(at, at + hashBytes));
    }
    return rest;
  }

  /** Where it stands, or would. */
  #slotOf(bytes: Bytes, at: number): number {
    let slot = wordAt(bytes, at) & this.#mask;
    for (;;) {
      const place = (this.#slots[slot] ?? 0) - 1;
      if (place < 0 || this.#isAt(place * hashBytes, bytes, at)) return slot;
      slot = (slot + 1) & this.#mask;
    }
  }

  #isAt(start: number, bytes: Bytes, at: number): boolean {
    const hashes = this.#hashes;
    for (let i = 0; i < hashBytes; i++) if (hashes[start + i] !== bytes[at + i]) return false;
    return true;
  }
}

function joined(hashes: Iterable<Bytes>): Buffer {
  let all: Buffer = Buffer.alloc(1024 * hashBytes);
  let length = 0;
  for (const hash of hashes) {
    if (length === all.length) all = Buffer.concat([all], 2 * all.length);
    all.set(hash, length);
    length += hashBytes;
  }
  return all.subarray(0, length);
}

function wordAt(bytes: Bytes, at: number): number {
  return ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
}
