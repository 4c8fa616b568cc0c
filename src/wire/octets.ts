/**
 * Reading and writing big-endian fields in order. Neither ever goes outside its bytes, whatever a
 * length field says. They know nothing of what the fields mean. Numbers are put together octet by
 * octet: a DataView would move every short array out of V8's heap, 1 µs for a field of 2 octets.
 */
import type { Bytes } from '../base/bytes.ts';

/**
 * Reads from the front. What is missing reads as zeros and makes `complete` false for good, so that
 * a decoder checks once, at its end, instead of after every field.
 */
export class Reader {
  readonly #bytes: Bytes;
  #at = 0;
  #short = false;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  /** Octets not yet read. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** Whether every field so far was there. */
  get complete(): boolean {
    return !this.#short;
  }

  u8(): number {
    return this.#number(1);
  }

  u16(): number {
    return this.#number(2);
  }

  u32(): number {
    return this.#number(4);
  }

  u64(): bigint {
    if (this.left < 8) this.#short = true; // or the first half of a short one would be read
    return (BigInt(this.#number(4)) << 32n) | BigInt(this.#number(4));
  }

  /** A copy, so that what is kept of a datagram does not keep the datagram. */
  bytes(length: number): Bytes {
    const at = this.#advance(length);
    if (at === undefined) return new Uint8Array(0);
    // A copy: the slice() of a Buffer would be a view.
    return new Uint8Array(this.#bytes.subarray(at, at + length));
  }

  skip(length: number): void {
    this.#advance(length);
  }

  /** At most 4 octets: what a shift can hold. */
  #number(length: number): number {
    const at = this.#advance(length);
    if (at === undefined) return 0;
    let value = 0;
    for (let i = at; i < at + length; i++) value = (value << 8) | (this.#bytes[i] ?? 0);
    return value >>> 0;
  }

  #advance(length: number): number | undefined {
    if (this.#short || length > this.left) {
      this.#short = true;
      return undefined;
    }
    const at = this.#at;
    this.#at += length;
    return at;
  }
}

/** Writes to the front of a fixed number of octets. Too much is the caller's bug: a RangeError. */
export class Writer {
  readonly #bytes: Bytes;
  #at = 0;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** Octets that still fit. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u8(value: number): this {
    return this.#number(value, 1);
  }

  u16(value: number): this {
    return this.#number(value, 2);
  }

  u32(value: number): this {
    return this.#number(value, 4);
  }

  u64(value: bigint): this {
    this.#number(Number(BigInt.asUintN(32, value >> 32n)), 4);
    return this.#number(Number(BigInt.asUintN(32, value)), 4);
  }

  bytes(value: Bytes): this {
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  zeros(length: number): this {
    this.#at += length;
    return this;
  }

  /** What was written. */
  done(): Bytes {
    return this.#bytes.subarray(0, this.#at);
  }

  #number(value: number, length: number): this {
    // Typed arrays ignore what is written past their end.
    if (length > this.left) throw new RangeError('there is no room for another field');
    for (let shift = 8 * (length - 1); shift >= 0; shift -= 8) {
      this.#bytes[this.#at++] = value >>> shift;
    }
    return this;
  }
}
