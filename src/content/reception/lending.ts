/**
 * Slabs that one thread fills and another one reads and gives back. They cross once, and are called
 * by number from then on: each crossing makes an object of 256 KiB for the garbage collector, which
 * then looks through all memory for every few dozen of them. It knows no frames.
 */
import type { Bytes } from '../../base/bytes.ts';
import { onGiven, slabBytes, worthwhileBytes } from '../slabs.ts';
import type { Slab } from './words.ts';

/** What all streams may have on their way to the disk, 24 MiB; what is more is copied. */
const slabsMax = 96;
/** In the memory that both ends see: for each slab whether the other end may have it. */
const [isFree, isLent] = [0, 1];

/** To be given to both ends. */
export function openLoans(): SharedArrayBuffer {
  return new SharedArrayBuffer(slabsMax * Int32Array.BYTES_PER_ELEMENT);
}

/** The end that fills them. */
export class Lender {
  readonly #loans: Int32Array;
  readonly #slabs: SharedArrayBuffer[] = []; // BOUNDED by slabsMax, see #make()
  readonly #numbers = new WeakMap<ArrayBufferLike, number>();
  #toldOf = 0;

  constructor(loans: SharedArrayBuffer) {
    this.#loans = new Int32Array(loans);
  }

  /** `length` bytes with any content, in a slab where that is worth it and one is to be had. */
  take(length: number): Bytes {
    const isSlab = length >= worthwhileBytes && length <= slabBytes;
    const number = isSlab ? this.#free() : undefined;
    const buffer = number === undefined ? undefined : this.#slabs[number];
    if (number === undefined || !buffer) return new Uint8Array(length);
    Atomics.store(this.#loans, number, isLent);
    return new Uint8Array(buffer, 0, length);
  }

  /** Undefined for what lies in no slab. */
  numberOf({ buffer }: Bytes): number | undefined {
    return this.#numbers.get(buffer);
  }

  /** Nobody was told of what lies there. */
  keep(bytes: Bytes): void {
    const number = this.numberOf(bytes);
    if (number !== undefined) Atomics.store(this.#loans, number, isFree);
  }

  /** Those that the other end was not told of. */
  made(): Slab[] {
    const first = this.#toldOf;
    if (first === this.#slabs.length) return [];
    this.#toldOf = this.#slabs.length;
    return this.#slabs.slice(first).map((buffer, i) => ({ number: first + i, buffer }));
  }

  /** The first one, so that few are in use: those lie in the processor's cache. */
  #free(): number | undefined {
    for (let number = 0; number < this.#slabs.length; number++) {
      if (Atomics.load(this.#loans, number) === isFree) return number;
    }
    return this.#make();
  }

  #make(): number | undefined {
    if (this.#slabs.length >= slabsMax) return undefined;
    const buffer = new SharedArrayBuffer(slabBytes);
    this.#numbers.set(buffer, this.#slabs.length);
    return this.#slabs.push(buffer) - 1;
  }
}

/** The end that reads them. */
export class Borrower {
  readonly #loans: Int32Array;
  readonly #slabs = new Map<number, SharedArrayBuffer>(); // BOUNDED by the lender
  readonly #borrowed = new Set<number>(); // BOUNDED likewise

  constructor(loans: SharedArrayBuffer) {
    this.#loans = new Int32Array(loans);
  }

  learn(made: readonly Slab[]): void {
    for (const { number, buffer } of made) {
      this.#slabs.set(number, buffer);
      onGiven(buffer, () => this.#give(number));
    }
  }

  /** Its first bytes, to be given to any `Slabs`. */
  bytesOf(number: number, length: number): Bytes {
    const buffer = this.#slabs.get(number);
    if (!buffer) throw new Error('a slab that nobody told of');
    this.#borrowed.add(number);
    return new Uint8Array(buffer, 0, length);
  }

  #give(number: number): void {
    if (this.#borrowed.delete(number)) Atomics.store(this.#loans, number, isFree);
  }
}
