/**
 * Which requests have come before, by a checksum of their octets: most come once, and to keep an
 * answer to those would cost more than it saves. It may err, which costs no more than that.
 */
import { crc32 } from 'node:zlib';

export class Seen {
  /** Each checksum has one place, and one that comes later takes it. */
  readonly #places: Uint32Array;

  /** `placesMax`: of four octets each. */
  constructor(placesMax: number) {
    this.#places = new Uint32Array(placesMax);
  }

  /** Whether it has been seen, as far as is remembered; from now on it has. */
  hasSeen(request: Buffer): boolean {
    const sum = crc32(request);
    const place = sum % this.#places.length;
    const isSeen = this.#places[place] === sum;
    this.#places[place] = sum;
    return isSeen;
  }
}
