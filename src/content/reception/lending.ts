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

/** The end that fills them. */
export class Lender {
  readonly #slabs: SharedArrayBuffer[] = []; // BOUNDED by slabsMax, see take()
  readonly #numbers = new WeakMap<ArrayBufferLike, number>();
  readonly #free: number[] = []; // BOUNDED by slabsMax: only what is lent comes back
  readonly #lent = new Set<number>(); // BOUNDED likewise
  #toldOf = 0;

  /** `length` bytes with any content, in a slab where that is worth it and one is to be had. */
  take(length: number): Bytes {
    const isSlab = length >= worthwhileBytes && length <= slabBytes;
    const number = isSlab ? (this.#free.pop() ?? this.#make()) : undefined;
    const buffer = number === undefined ? undefined : this.#slabs[number];
    if (number === undefined || !buffer) return new Uint8Array(length);
    this.#lent.add(number);
    return new Uint8Array(buffer, 0, length);
  }

  /** Undefined for what lies in no slab. */
  numberOf({ buffer }: Bytes): number | undefined {
    return this.#numbers.get(buffer);
  }

  /** The other end has no use for them any more. */
  back(numbers: readonly number[]): void {
    for (const number of numbers) if (this.#lent.delete(number)) this.#free.push(number);
  }

  /** Those that the other end was not told of. */
  made(): Slab[] {
    const first = this.#toldOf;
    this.#toldOf = this.#slabs.length;
    return this.#slabs.slice(first).map((buffer, i) => ({ number: first + i, buffer }));
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
  readonly #slabs = new Map<number, SharedArrayBuffer>(); // BOUNDED by the lender
  readonly #borrowed = new Set<number>(); // BOUNDED likewise
  #free: number[] = []; // BOUNDED likewise

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

  /** What was given back since the last call. */
  takeFree(): readonly number[] {
    const free = this.#free;
    this.#free = [];
    return free;
  }

  #give(number: number): void {
    if (this.#borrowed.delete(number)) this.#free.push(number);
  }
}
