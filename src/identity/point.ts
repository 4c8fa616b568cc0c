/** Which encoded curve points may be public keys. Compares bytes and does no arithmetic. */
import { type Bytes, toHex } from '../base/bytes.ts';

/**
 * The points of order 1, 2, 4 and 8, the sign bit cleared. Anybody can sign for such a key: a
 * signature made without a secret passes for one message in eight, or for all. Some versions of
 * Node refuse them by themselves; all nodes must judge alike.
 */
const smallOrder: ReadonlySet<string> = new Set([
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
]);

/**
 * False for other lengths, for points of small order and for a y-coordinate of p = 2^255 − 19 or
 * more, which would give one key two spellings and so two IDs. Whether the point is on the curve
 * shows when it is used.
 */
export function isSoundPoint(publicKey: Bytes): boolean {
  if (publicKey.length !== 32) return false;
  const y = publicKey.slice();
  y[31] = (y[31] ?? 0) & 0x7f;
  const belowPrime = y[31] !== 0x7f || (y[0] ?? 0) < 0xed || y.subarray(1, 31).some(isNotFull);
  return belowPrime && !smallOrder.has(toHex(y));
}

function isNotFull(byte: number): boolean {
  return byte !== 0xff;
}
