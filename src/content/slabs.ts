/**
 * Memory for chunks on their way to the store, used again once they are there. Fresh arrays of that
 * size cost more in page faults and garbage collection than reading or hashing them, and what
 * waits to be collected would double the memory of a large transfer.
 */
import type { Bytes } from '../base/bytes.ts';

export const slabBytes: number = 256 * 1024;
/** Smaller arrays are cheap to allocate and would waste most of a slab. */
export const worthwhileBytes: number = 32 * 1024;

/** Whoever lends memory to others, by what it lent. */
const lenders = new WeakMap<ArrayBufferLike, () => void>();

/** `back` is called whenever an array at the beginning of `buffer` is given to any `Slabs`. */
export function onGiven(buffer: ArrayBufferLike, back: () => void): void {
  lenders.set(buffer, back);
}

/** A slab that holds several pieces, one behind the other. */
interface Shared {
  readonly buffer: ArrayBufferLike;
  /** Bytes that were given out since all of them were free. */
  used: number;
  /** Pieces that somebody has. */
  pieces: number;
}

export class Slabs {
  readonly #free: ArrayBufferLike[] = []; // BOUNDED by #freeMax, see give()
  readonly #owned = new WeakSet<ArrayBufferLike>();
  readonly #freeMax: number;
  readonly #isShared: boolean;
  readonly #shared = new WeakMap<ArrayBufferLike, Shared>();
  #current: Shared | undefined;

  /** `bytesMax`: of slabs that are kept for later. `isShared`: other threads can see them. */
  constructor(
    bytesMax: number = 16 * 1024 * 1024,
    { isShared = false }: { readonly isShared?: boolean } = {},
  ) {
    this.#freeMax = bytesMax / slabBytes;
    this.#isShared = isShared;
  }

  /** `length` bytes with any content. */
  take(length: number): Bytes {
    if (length > slabBytes || length < worthwhileBytes) return Buffer.allocUnsafeSlow(length);
    const buffer = this.#free.pop() ?? this.#make();
    this.#owned.add(buffer);
    return new Uint8Array(buffer, 0, length);
  }

  /**
   * The same for whoever gives all of it back before long: small pieces share a slab, which one of
   * them keeps from being used again.
   */
  takePiece(length: number): Bytes {
    if (length >= worthwhileBytes) return this.take(length);
    if (!this.#current || this.#current.used + length > slabBytes) {
      const buffer = this.#free.pop() ?? this.#make();
      this.#current = { buffer, used: 0, pieces: 0 };
      this.#shared.set(buffer, this.#current);
    }
    const { buffer, used } = this.#current;
    this.#current.used += length;
    this.#current.pieces++;
    return new Uint8Array(buffer, used, length);
  }

  /**
   * Nobody may use `bytes`, which came from `take` or were lent by somebody, any longer; other
   * arrays are left alone.
   */
  give(bytes: Bytes): void {
    const back = lenders.get(bytes.buffer);
    if (back) return back();
    const shared = this.#shared.get(bytes.buffer);
    if (shared) return this.#givePiece(shared);
    if (this.#owned.delete(bytes.buffer)) this.#keep(bytes.buffer);
  }

  #givePiece(shared: Shared): void {
    shared.pieces--;
    if (shared.pieces > 0) return;
    shared.used = 0;
    if (shared === this.#current) return;
    this.#shared.delete(shared.buffer);
    this.#keep(shared.buffer);
  }

  #make(): ArrayBufferLike {
    return this.#isShared ? new SharedArrayBuffer(slabBytes) : new ArrayBuffer(slabBytes);
  }

  #keep(buffer: ArrayBufferLike): void {
    if (this.#free.length < this.#freeMax) this.#free.push(buffer);
  }
}
