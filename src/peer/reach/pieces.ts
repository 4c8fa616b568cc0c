/** Messages of one length, read off a stream. It does not know what they say. */
import { type Bytes, concatBytes } from '../../base/bytes.ts';

export class Pieces {
  readonly #chunks: AsyncIterator<Bytes>;
  readonly #length: number;
  /** BOUNDED by #length and one chunk */
  #rest: Bytes = new Uint8Array();

  constructor(chunks: AsyncIterable<Bytes>, length: number) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#length = length;
  }

  /** Undefined when the stream ends before the next one is whole; rejects when it breaks. */
  async next(): Promise<Bytes | undefined> {
    while (this.#rest.length < this.#length) {
      const next = await this.#chunks.next();
      if (next.done === true) return undefined;
      this.#rest = this.#rest.length === 0 ? next.value : concatBytes(this.#rest, next.value);
    }
    const piece = this.#rest.subarray(0, this.#length);
    this.#rest = this.#rest.subarray(this.#length);
    return piece;
  }
}
