/**
 * The octets of a protobuf message, read one field after the other. What cannot be read is noted,
 * not thrown, so that a bad block costs no exception. Knows no messages.
 */
import type { Bytes } from '../../base/bytes.ts';

export const wireTypes = { varint: 0, fixed64: 1, octets: 2, fixed32: 5 } as const;

const varintBytesMax = 10;

export class OctetReader {
  readonly #bytes: Bytes;
  readonly #end: number;
  #at: number;
  #isBroken = false;

  constructor(bytes: Bytes, at: number = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  get at(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** Something that should have been there was not. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** -1 where there is none. Above 2^53 it is rounded: whoever cares refuses what is not safe. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < varintBytesMax && this.#at < this.#end; i++) {
      const octet = this.#bytes[this.#at++] ?? 0;
      value += (octet & 0x7f) * scale;
      if (octet < 0x80) return value;
      scale *= 0x80;
    }
    this.#isBroken = true;
    return -1;
  }

  /** False when there are not so many octets left. */
  skip(length: number): boolean {
    if (length < 0 || length > this.#end - this.#at) this.#isBroken = true;
    else this.#at += length;
    return !this.#isBroken;
  }

  /** Passes over the value of a field that nobody cares for. */
  skipValue(wireType: number): boolean {
    switch (wireType) {
      case wireTypes.varint:
        return this.varint() >= 0;
      case wireTypes.fixed64:
        return this.skip(8);
      case wireTypes.octets:
        return this.skip(this.varint());
      case wireTypes.fixed32:
        return this.skip(4);
      default:
        return false;
    }
  }
}
