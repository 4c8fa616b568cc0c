/**
 * Memory for large pieces on their way out, used again once the system has taken all that lies in
 * it. Fresh arrays of that size cost more in garbage collection than reading, encrypting and
 * sending what is in them: V8 marks all of its memory for every few dozen of them.
 * It knows no streams.
 */
import type { Bytes } from '../base/bytes.ts';

/** Free in front of each piece, for the head of a frame of yamux. */
export const frameHeadBytes: number = 12;
/** Two leaves of 256 KiB, and what is said in front of them. */
const slabBytes = 528 * 1024;
/** Smaller arrays are cheap to allocate, and would waste most of a slab. */
const worthwhileBytes = 32 * 1024;
/** Kept for later: 4 MiB. */
const freeMax = 8;

export class SendMemory {
  readonly #free: ArrayBuffer[] = []; // BOUNDED by freeMax
  /** Octets that are still to be sent. One whose stream breaks off goes with who wrote there. */
  readonly #unsent = new WeakMap<ArrayBufferLike, number>();

  /**
   * `length` bytes with any content, which are to be written once, from the first one on, and not to
   * be touched after that. Undefined where an array of one's own is as good.
   */
  take(length: number): Bytes | undefined {
    if (length > slabBytes - frameHeadBytes || length < worthwhileBytes) return undefined;
    const buffer = this.#free.pop() ?? new ArrayBuffer(slabBytes);
    this.#unsent.set(buffer, length);
    return new Uint8Array(buffer, frameHeadBytes, length);
  }

  /** Whether `sent` is to be called of it. */
  isOwnerOf({ buffer }: Bytes): boolean {
    return this.#unsent.has(buffer);
  }

  /** Of what was taken these octets are written, and none behind them. */
  sending({ buffer, length }: Bytes): void {
    if (this.#unsent.has(buffer)) this.#unsent.set(buffer, length);
  }

  /** The system has these octets. */
  sent({ buffer, length }: Bytes): void {
    const unsent = this.#unsent.get(buffer);
    if (unsent === undefined || !(buffer instanceof ArrayBuffer)) return;
    if (unsent > length) {
      this.#unsent.set(buffer, unsent - length);
      return;
    }
    this.#unsent.delete(buffer);
    if (this.#free.length < freeMax) this.#free.push(buffer);
  }
}
