import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../test/support/property.ts';
import { type Bytes, toHex } from '../base/bytes.ts';
import {
  edwardsFromMontgomery,
  isCanonicalU,
  montgomeryFromEdwards,
  secretFromSeed,
  xSignOf,
} from './curve.ts';
import { keyPairFromSecret } from './node-crypto.ts';

const prime = 2n ** 255n - 19n;

function littleEndian(value: bigint): Bytes {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
}

function numberOf(bytes: Bytes): bigint {
  return bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

function edPublicKey(seed: Bytes): Bytes {
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const key = createPublicKey(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }));
  return new Uint8Array(key.export({ format: 'der', type: 'spki' }).subarray(12));
}

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });

test('the public key of the converted secret is the converted public key', () => {
  checkProperty(
    fc.property(seeds, (seed) => {
      const u = montgomeryFromEdwards(edPublicKey(seed));
      assert.ok(u);
      assert.equal(toHex(keyPairFromSecret(secretFromSeed(seed)).publicKey.bytes), toHex(u));
    }),
  );
});

test('u and the sign give the Ed25519 key back, and u(1 − y) ≡ 1 + y', () => {
  checkProperty(
    fc.property(seeds, (seed) => {
      const publicKey = edPublicKey(seed);
      const u = montgomeryFromEdwards(publicKey);
      assert.ok(u);
      assert.deepEqual(edwardsFromMontgomery(u, xSignOf(publicKey)), publicKey);
      const y = numberOf(publicKey) & (2n ** 255n - 1n);
      assert.equal((numberOf(u) * (1n - y) - 1n - y) % prime, 0n);
    }),
  );
});

test('A and its twin −A have the same u, and the sign flag tells them apart', () => {
  const publicKey = edPublicKey(new Uint8Array(32).fill(7));
  const twin = publicKey.slice();
  twin[31] = (twin[31] ?? 0) ^ 0x80;
  const u = montgomeryFromEdwards(publicKey);
  assert.ok(u);
  assert.deepEqual(montgomeryFromEdwards(twin), u);
  assert.deepEqual(edwardsFromMontgomery(u, xSignOf(twin)), twin);
  assert.notEqual(xSignOf(twin), xSignOf(publicKey));
});

test('every y ≥ p is refused, with either sign; so are y = 1 and wrong lengths', () => {
  for (let above = 0n; prime + above < 2n ** 255n; above++) {
    assert.equal(montgomeryFromEdwards(littleEndian(prime + above)), undefined);
    assert.equal(montgomeryFromEdwards(littleEndian(prime + above + 2n ** 255n)), undefined);
  }
  assert.equal(montgomeryFromEdwards(littleEndian(1n)), undefined);
  assert.equal(montgomeryFromEdwards(littleEndian(1n + 2n ** 255n)), undefined);
  assert.equal(montgomeryFromEdwards(new Uint8Array(31)), undefined);
  assert.ok(montgomeryFromEdwards(littleEndian(prime - 1n)), 'u = 0: left to the DH to refuse');
});

test('u ≥ p, bit 255 and u = −1 are refused', () => {
  for (let above = 0n; prime + above < 2n ** 255n; above++) {
    assert.equal(isCanonicalU(littleEndian(prime + above)), false, `p + ${above}`);
  }
  for (const value of [0n, 1n, 9n, 2n ** 254n, prime - 2n, prime - 1n]) {
    assert.equal(isCanonicalU(littleEndian(value)), true, `${value}`);
    assert.equal(isCanonicalU(littleEndian(value + 2n ** 255n)), false, `${value} with bit 255`);
  }
  assert.equal(isCanonicalU(new Uint8Array(33)), false);
  assert.equal(edwardsFromMontgomery(littleEndian(prime - 1n), false), undefined);
  assert.equal(edwardsFromMontgomery(littleEndian(9n + 2n ** 255n), false), undefined);
});
