/**
 * From Ed25519 keys to X25519 keys and back (RFC 7748, 4.1: u = (1 + y) / (1 − y)), so that a node
 * needs one key only. Nothing here touches a secret except `secretFromSeed`, so BigInt arithmetic
 * that is not constant-time is harmless. One conversion costs about 20 µs: callers keep results.
 */
import { hash } from 'node:crypto';
import type { Bytes } from '../base/bytes.ts';

const prime = 2n ** 255n - 19n;

/**
 * The X25519 public key (32 bytes) of an Ed25519 public key. Undefined when y ≥ p, which would be
 * a second encoding of another key, and for y = 1, the neutral point, which has no u. Both signs
 * of x give the same u: who relies on the result must bind the Ed25519 key itself.
 */
export function montgomeryFromEdwards(publicKey: Bytes): Bytes | undefined {
  if (publicKey.length !== 32) return undefined;
  const y = decodeLittleEndian(publicKey) & (2n ** 255n - 1n);
  if (y >= prime || y === 1n) return undefined;
  return encodeLittleEndian(modulo((1n + y) * invert(modulo(1n - y))));
}

/**
 * The Ed25519 public key (32 bytes) with this u and this sign of x. Undefined when u is not
 * canonical, and for u = −1, which no point of the Edwards curve has.
 */
export function edwardsFromMontgomery(u: Bytes, xSign: boolean): Bytes | undefined {
  if (!isCanonicalU(u)) return undefined;
  const value = decodeLittleEndian(u);
  if (value === prime - 1n) return undefined;
  const publicKey = encodeLittleEndian(modulo((value - 1n) * invert(modulo(value + 1n))));
  if (xSign) publicKey[31] = (publicKey[31] ?? 0) | 0x80;
  return publicKey;
}

/** The sign bit of x in an Ed25519 public key: what the conversion to u loses. */
export function xSignOf(publicKey: Bytes): boolean {
  return ((publicKey[31] ?? 0) & 0x80) !== 0;
}

/** Whether the 32 bytes are below p: neither bit 255 nor one of the 19 values above p − 1. */
export function isCanonicalU(u: Bytes): boolean {
  if (u.length !== 32) return false;
  const top = u[31] ?? 0;
  if (top !== 0x7f) return top < 0x7f;
  return (u[0] ?? 0) < 0xed || u.subarray(1, 31).some((byte) => byte !== 0xff);
}

/** The X25519 secret of an Ed25519 seed: the clamped half of its SHA-512, as RFC 8032 has it. */
export function secretFromSeed(seed: Bytes): Bytes {
  const secret = new Uint8Array(hash('sha512', seed, 'buffer').subarray(0, 32));
  secret[0] = (secret[0] ?? 0) & 0xf8;
  secret[31] = ((secret[31] ?? 0) & 0x7f) | 0x40;
  return secret;
}

function modulo(value: bigint): bigint {
  const rest = value % prime;
  return rest < 0n ? rest + prime : rest;
}

/** value^(p − 2), the inverse by Fermat's little theorem. */
function invert(value: bigint): bigint {
  let result = 1n;
  let square = value;
  for (let exponent = prime - 2n; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * square) % prime;
    square = (square * square) % prime;
  }
  return result;
}

function decodeLittleEndian(bytes: Bytes): bigint {
  return BigInt(`0x${Buffer.from(bytes.toReversed()).toString('hex')}`);
}

function encodeLittleEndian(value: bigint): Bytes {
  const bigEndian = Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
  return new Uint8Array(bigEndian).toReversed();
}
