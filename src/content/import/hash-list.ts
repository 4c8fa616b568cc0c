/**
 * Many hashes in one piece of memory: an object for each would be what publishing a site again
 * takes most memory for. It knows nothing of what they name.
 */
import { asBuffer, type Bytes } from '../../base/bytes.ts';

const hashBytes = 32;

export class HashList implements Iterable<Bytes> {
  #bytes: Buffer = Buffer.alloc(1024 * hashBytes); // BOUNDED by what is added
  #length = 0;

  /** All of them, one after the other, until the next one is added. */
  get bytes(): Bytes {
    return this.#bytes.subarray(0, this.#length);
  }

  add(hash: Bytes): void {
    this.addFrom(asBuffer(hash), 0);
  }

  /** The one that begins there. */
  addFrom(source: Buffer, at: number): void {
    if (this.#length === this.#bytes.length) {
      const larger = Buffer.alloc(2 * this.#bytes.length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    source.copy(this.#bytes, this.#length, at, at + hashBytes);
    this.#length += hashBytes;
  }

  *[Symbol.iterator](): Iterator<Bytes> {
    for (let at = 0; at < this.#length; at += hashBytes) {
      yield this.#bytes.subarray(at, at + hashBytes);
    }
  }
}
