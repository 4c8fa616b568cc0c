/**
 * Reading and writing big-endian fields in order. Neither ever goes outside its bytes, whatever a
 * length field says. They know nothing of what the fields mean.
 */
import type { Bytes } from '../base/bytes.ts';

/**
 * Reads from the front. What is missing reads as zeros and makes `complete` false for good, so that
 * a decoder checks once, at its end, instead of after every field.
 */
export class Reader {
  readonly #bytes: Bytes;
  readonly #view: DataView;
  #at = 0;
  #short = false;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
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
    const at = this.#advance(1);
    return at === undefined ? 0 : this.#view.getUint8(at);
  }

  u16(): number {
    const at = this.#advance(2);
    return at === undefined ? 0 : this.#view.getUint16(at);
  }

  u32(): number {
    const at = this.#advance(4);
    return at === undefined ? 0 : this.#view.getUint32(at);
  }

  u64(): bigint {
    const at = this.#advance(8);
    return at === undefined ? 0n : this.#view.getBigUint64(at);
  }

  /** A copy, so that what is kept of a datagram does not keep the datagram. */
  bytes(length: number): Bytes {
    const at = this.#advance(length);
    if (at === undefined) return new Uint8Array(0);
    return new Uint8Array(this.#bytes.subarray(at, at + length)); // Buffer's own slice copies nothing
  }

  skip(length: number): void {
    this.#advance(length);
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
  readonly #view: DataView;
  #at = 0;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Octets that still fit. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u8(value: number): this {
    this.#view.setUint8(this.#at, value);
    this.#at += 1;
    return this;
  }

  u16(value: number): this {
    this.#view.setUint16(this.#at, value);
    this.#at += 2;
    return this;
  }

  u32(value: number): this {
    this.#view.setUint32(this.#at, value);
    this.#at += 4;
    return this;
  }

  u64(value: bigint): this {
    this.#view.setBigUint64(this.#at, value);
    this.#at += 8;
    return this;
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
}
