/** Byte strings: joining, comparing, hexadecimal. Knows nothing of what the bytes mean. */

export type Bytes = Uint8Array;

/** A view of the same memory as a Buffer, for the methods that Uint8Array lacks. Copies nothing. */
export function asBuffer(bytes: Bytes): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Of all of them together. */
export function totalLength(parts: readonly Bytes[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

export function concatBytes(...parts: readonly Bytes[]): Bytes {
  const joined = new Uint8Array(totalLength(parts));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Some of an array: from here on, to before there. */
export interface Part {
  readonly of: Bytes;
  readonly from: number;
  readonly to: number;
}

/**
 * Copies `part` into `target`, from `at` on; there is room for it. A whole array is copied by V8,
 * which does that word by word into memory that other threads see; a part of one by the C library,
 * in a quarter of the time.
 */
export function copyPart({ of, from, to }: Part, target: Bytes, at: number): void {
  if (to <= from) return;
  const { copy } = Buffer.prototype;
  if (from > 0 || to < of.length) return void copy.call(of, target, at, from, to);
  copy.call(of, target, at, from, to - 1);
  target[at + to - from - 1] = of[to - 1] ?? 0;
}

/** An array of its own. (`slice` of a Buffer is none.) */
export function copyOf({ of, from, to }: Part): Bytes {
  return new Uint8Array(of.subarray(from, to));
}

export function equalBytes(a: Bytes, b: Bytes): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

/** Big-endian order: negative when `a` sorts before `b`. */
export function compareBytes(a: Bytes, b: Bytes): number {
  return Buffer.compare(a, b);
}

export function toHex(bytes: Bytes): string {
  return asBuffer(bytes).toString('hex');
}

/** The bytes that `text` spells, or undefined unless it is exactly `length` bytes of hexadecimal. */
export function parseHex(text: string, length?: number): Bytes | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined;
  if (length !== undefined && text.length !== length * 2) return undefined;
  return new Uint8Array(Buffer.from(text, 'hex'));
}

export function utf8(text: string): Bytes {
  return new TextEncoder().encode(text);
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text, or undefined when the bytes are not UTF-8. */
export function parseUtf8(bytes: Bytes): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Number of leading bits that are zero; 8 × length when all are. */
export function leadingZeroBits(bytes: Bytes): number {
  let count = 0;
  for (const byte of bytes) {
    if (byte !== 0) return count + Math.clz32(byte) - 24;
    count += 8;
  }
  return count;
}
