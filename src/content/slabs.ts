/**
 * Memory for chunks on their way to the store, used again once they are there. Fresh arrays of that
 * size cost more in page faults and garbage collection than reading or hashing them, and what
 * waits to be collected would double the memory of a large transfer.
 */
import type { Bytes } from '../base/bytes.ts';

export const slabBytes: number = 256 * 1024;
/** Smaller arrays are cheap to allocate and would waste most of a slab. */
export const worthwhileBytes: number = 32 * 1024;

export class Slabs {
  readonly #free: ArrayBufferLike[] = []; // BOUNDED by #freeMax, see give()
  readonly #owned = new WeakSet<ArrayBufferLike>();
  readonly #freeMax: number;

  /** `bytesMax`: of slabs that are kept for later. */
  constructor(bytesMax: number = 16 * 1024 * 1024) {
    this.#freeMax = bytesMax / slabBytes;
  }

  /** `length` bytes with any content. */
  take(length: number): Bytes {
    if (length > slabBytes || length < worthwhileBytes) return Buffer.allocUnsafeSlow(length);
    const buffer = this.#free.pop() ?? new ArrayBuffer(slabBytes);
    this.#owned.add(buffer);
    return new Uint8Array(buffer, 0, length);
  }

  /** Nobody may use `bytes`, which came from `take`, any longer; other arrays are left alone. */
  give(bytes: Bytes): void {
    if (!this.#owned.delete(bytes.buffer)) return;
    if (this.#free.length < this.#freeMax) this.#free.push(bytes.buffer);
  }
}
