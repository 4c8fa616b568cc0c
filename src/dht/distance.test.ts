import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { manualWorld } from '../../test/support/manual-world.ts';
import { checkProperty } from '../../test/support/property.ts';
import { compareDistance, distanceShare, randomIdSharing, sharedBits } from './distance.ts';

const of = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);

test('the nearer of two shares more leading bits with the target', () => {
  const target = of(0b1010_0000);
  assert.ok(compareDistance(target, of(0b1010_0001), of(0b1011_0000)) < 0);
  assert.ok(compareDistance(target, of(0b0010_0000), of(0b1000_0000)) > 0);
  assert.equal(compareDistance(target, of(3), of(3)), 0);
});

test('shared bits count from the front', () => {
  assert.equal(sharedBits(of(0b1010_0000), of(0b1010_0000)), 8);
  assert.equal(sharedBits(of(0b1010_0000), of(0b1010_0001)), 7);
  assert.equal(sharedBits(of(0b1010_0000), of(0b0010_0000)), 0);
  assert.equal(sharedBits(of(1, 0b0000_1000), of(1, 0)), 12);
});

test('a distance is a share of the space', () => {
  assert.equal(distanceShare(of(0), of(0b1000_0000)), 0.5);
  assert.equal(distanceShare(of(0, 0), of(0, 128)), 1 / 512);
  assert.equal(distanceShare(of(7), of(7)), 0);
});

test('a random ID shares exactly as many bits as asked for', () => {
  const { random } = manualWorld();
  const bytes = fc.uint8Array({ minLength: 4, maxLength: 4 });
  checkProperty(
    fc.property(bytes, fc.integer({ min: 0, max: 31 }), (id, bits) => {
      assert.equal(sharedBits(id, randomIdSharing(id, bits, random)), bits);
    }),
  );
});
