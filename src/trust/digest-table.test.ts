import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../test/support/property.ts';
import { type Bytes, toHex } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';
import { DigestTable } from './digest-table.ts';

const seed = sha256(Uint8Array.of(1));

/** A different digest for each number. */
function digestOf(number: number): Bytes {
  return sha256(Uint8Array.of(number, number >> 8, number >> 16, 7));
}

test('what was set last is found, and nothing else', () => {
  const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const entry = fc.tuple(digest, fc.integer({ min: 1, max: 0xffff_ffff }));
  checkProperty(
    fc.property(fc.array(entry, { maxLength: 60 }), fc.array(digest), (entries, others) => {
      const table = new DigestTable(seed);
      const model = new Map<string, number>();
      for (const [key, value] of entries) {
        table.set(key, value);
        model.set(toHex(key), value);
      }
      assert.equal(table.size, model.size);
      for (const key of [...entries.map(([one]) => one), ...others]) {
        assert.equal(table.get(key), model.get(toHex(key)) ?? 0);
      }
    }),
  );
});

test('many digests, over several segments, all keep their numbers', () => {
  const table = new DigestTable(seed);
  const count = 20_000;
  for (let i = 0; i < count; i++) table.set(digestOf(i), i + 1);
  for (let i = 0; i < count; i++) assert.equal(table.get(digestOf(i)), i + 1);
  for (let i = count; i < 2 * count; i++) assert.equal(table.get(digestOf(i)), 0);
  assert.equal(table.size, count);
});

test('a digest may be overwritten by its owner, and forgotten', () => {
  const table = new DigestTable(seed);
  const digest = digestOf(1);
  table.set(digest, 5);
  table.set(digest, 6);
  const copy = digest.slice();
  digest.fill(0);
  assert.equal(table.get(copy), 6);
  assert.equal(table.get(digest), 0);
  table.set(copy, 0);
  assert.equal(table.get(copy), 0);
});

for (const word of [0, 3, 7]) {
  test(`digests that differ in word ${word} alone do not pile up`, () => {
    // With a hash of a part of the digest, or without a seed, this would take minutes.
    const table = new DigestTable(seed);
    const digest = new Uint8Array(32).fill(0x55);
    const words = new Uint32Array(digest.buffer);
    const count = 100_000;
    for (let i = 0; i < count; i++) {
      words[word] = i << 12;
      table.set(digest, i + 1);
    }
    assert.equal(table.size, count);
    words[word] = 4096 << 12;
    assert.equal(table.get(digest), 4097);
  });
}
