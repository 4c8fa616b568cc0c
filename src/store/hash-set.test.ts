import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';
import { HashSet } from './hash-set.ts';

const hashes = Array.from({ length: 2000 }, (_, i) => sha256(utf8(String(i))));

test('hashes are found until they are taken out, and each is left once', () => {
  const set = new HashSet([...hashes.slice(0, 1000), ...hashes.slice(500, 1000)]);
  for (const [i, hash] of hashes.entries()) {
    const key = Buffer.concat([Buffer.of(1, 2, 3, 4), hash]);
    assert.equal(set.find(key, 4), i < 1000 ? i : undefined);
    if (i < 1000 && i % 3 > 0) set.takeOut(i);
    assert.equal(set.find(hash, 0), i < 1000 && i % 3 === 0 ? i : undefined);
  }
  assert.deepEqual(
    set.rest().map((hash) => new Uint8Array(hash)),
    hashes.slice(0, 1000).filter((_, i) => i % 3 === 0),
  );
});

test('hashes that begin alike are told apart, and none is found among none', () => {
  const alike = Array.from({ length: 300 }, (_, i) =>
    Buffer.concat([new Uint8Array(30), Buffer.of(i >> 8, i & 255)]),
  );
  const set = new HashSet(alike.slice(0, 200));
  for (const [i, hash] of alike.entries()) {
    assert.equal(set.find(hash, 0), i < 200 ? i : undefined);
  }
  assert.equal(new HashSet([]).find(hashes[0] ?? new Uint8Array(32), 0), undefined);
});
