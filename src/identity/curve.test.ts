import assert from 'node:assert/strict';
import { test } from 'node:test';
import { smallOrderPoints } from '../../test/support/small-order.ts';
import { type Bytes, parseHex } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';
import { isPublicKey } from './curve.ts';
import { SigningKey } from './key.ts';

function seedOf(number: number): Bytes {
  return sha256(Uint8Array.of(number));
}

function withY(y: number): Bytes {
  return Uint8Array.of(y, ...new Uint8Array(31));
}

test('every key that was made is a public key', () => {
  for (let i = 0; i < 64; i += 1) {
    assert.ok(isPublicKey(new SigningKey('author', seedOf(i)).publicKey), `seed ${i}`);
  }
});

test('half of what is no key is refused', () => {
  const ids = Array.from({ length: 200 }, (_, i) => new SigningKey('author', seedOf(i)).id);
  const passing = ids.filter(isPublicKey).length;
  assert.ok(passing > 60 && passing < 140, `${passing} of 200`);
});

test('y-coordinates on the curve and off it', () => {
  // The base point: y = 4/5.
  const base = parseHex(`58${'66'.repeat(31)}`) ?? assert.fail();
  assert.ok(isPublicKey(base));
  assert.ok(!isPublicKey(withY(2)));
  assert.ok(isPublicKey(withY(3)));
});

test('points of small order and other lengths are refused', () => {
  for (const point of smallOrderPoints()) assert.ok(!isPublicKey(point));
  assert.ok(!isPublicKey(new Uint8Array(31).fill(1)));
});
