/**
 * XOR distance on byte strings of one length: 32 bytes in the network, 1 byte in tests, where
 * distances are read by eye.
 */
import type { Bytes } from '../base/bytes.ts';
import type { Random } from '../base/clock.ts';

/** Whether two IDs are the same. IDs that start alike, as in a bucket, still end differently. */
export function sameId(a: Bytes, b: Bytes): boolean {
  if (a.length !== b.length) return false;
  for (let i = a.length - 1; i >= 0; i--) if (a[i] !== b[i]) return false;
  return true;
}

/** Negative when `a` is nearer to `target` than `b` is; 0 only when they are the same. */
export function compareDistance(target: Bytes, a: Bytes, b: Bytes): number {
  for (let i = 0; i < target.length; i++) {
    const t = target[i] ?? 0;
    const difference = ((a[i] ?? 0) ^ t) - ((b[i] ?? 0) ^ t);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** How many leading bits `a` and `b` share: all of them when they are equal. */
export function sharedBits(a: Bytes, b: Bytes): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) ^ (b[i] ?? 0);
    if (difference !== 0) return i * 8 + Math.clz32(difference) - 24;
  }
  return a.length * 8;
}

/**
 * The distance as a share of the ID space, in [0, 1]: exact enough for estimates, as it is rounded
 * to what a double holds.
 */
export function distanceShare(a: Bytes, b: Bytes): number {
  let share = 0;
  for (let i = Math.min(a.length, 8) - 1; i >= 0; i--) {
    share = (share + ((a[i] ?? 0) ^ (b[i] ?? 0))) / 256;
  }
  return share;
}

/** A random ID that shares exactly `bits` leading bits with `id`. */
export function randomIdSharing(id: Bytes, bits: number, random: Random): Bytes {
  const result = random.bytes(id.length);
  const whole = bits >> 3;
  result.set(id.subarray(0, whole));
  const flipped = 0x80 >> (bits & 7);
  const kept = 0xff & ~((flipped << 1) - 1);
  const own = id[whole] ?? 0;
  const drawn = result[whole] ?? 0;
  if (whole < result.length) {
    result[whole] = (own & kept) | ((own ^ flipped) & flipped) | (drawn & (flipped - 1));
  }
  return result;
}

const numberBytes = 6;

/** The first six bytes as a number: all that a double holds exactly, in whole bytes. */
export function prefixNumber(bytes: Bytes): number {
  let number = 0;
  for (let i = 0; i < numberBytes; i++) number = number * 256 + (bytes[i] ?? 0);
  return number;
}

/** The first six bytes of the distance as a number: enough to put keys in order. */
export function distanceNumber(a: Bytes, b: Bytes): number {
  let number = 0;
  for (let i = 0; i < numberBytes; i++) number = number * 256 + ((a[i] ?? 0) ^ (b[i] ?? 0));
  return number;
}

/** The six bytes that all keys at such a `distanceNumber` from `from` begin with. */
export function prefixAt(from: Bytes, distance: number): Bytes {
  const prefix = new Uint8Array(numberBytes);
  let rest = distance;
  for (let i = numberBytes - 1; i >= 0; i--) {
    prefix[i] = (rest % 256) ^ (from[i] ?? 0);
    rest = Math.floor(rest / 256);
  }
  return prefix;
}
