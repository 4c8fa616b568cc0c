/**
 * Whether a text that a user gives as a public key can be one. Exact and slow (BigInt): for keys
 * that people write, not for records, where a signature shows it anyway.
 */
import { type Bytes, toHex } from '../base/bytes.ts';
import { isSoundPoint } from './point.ts';

/** edwards25519 (RFC 8032, section 5.1): −x² + y² = 1 + d·x²·y² modulo p. */
const p = 2n ** 255n - 19n;
const d = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;

/**
 * Sound, and on the curve: half of all other strings of 32 bytes, such as key IDs, are not. A name
 * that is signed over to one of them would be lost.
 */
export function isPublicKey(bytes: Bytes): boolean {
  return isSoundPoint(bytes) && isOnCurve(bytes);
}

/** x² = (y² − 1) / (d·y² + 1) must have a root; a fraction has one when its terms' product has. */
function isOnCurve(publicKey: Bytes): boolean {
  const y = BigInt(`0x${toHex(publicKey.toReversed())}`) & (2n ** 255n - 1n);
  const yy = (y * y) % p;
  const product = ((yy + p - 1n) * (d * yy + 1n)) % p;
  return product === 0n || power(product, (p - 1n) / 2n) === 1n; // Euler's criterion
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % p;
    square = (square * square) % p;
  }
  return result;
}
