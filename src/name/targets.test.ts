import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';
import { create as createDigest } from 'multiformats/hashes/digest';
import { checkProperty } from '../../test/support/property.ts';
import { namesByRoot, retarget } from './targets.ts';

const rootOf = (digit: number, code: number = 0x70): CID =>
  CID.createV1(code, createDigest(0x12, new Uint8Array(32).fill(digit)));
const [a, b, c] = [rootOf(1), rootOf(2), rootOf(3)];
const hashes = (roots: readonly CID[]): number[] =>
  roots.map((root) => root.multihash.digest[0] ?? 0).toSorted((one, two) => one - two);

test('a root is left when the last name that pointed to it points elsewhere', () => {
  const before = [
    { name: 'alice.alt', root: a },
    { name: 'blog.alice.alt', root: b },
    { name: 'bob.alt', root: b },
  ];
  const alice = { name: 'alice.alt', root: c };
  const moved = retarget(before, [alice, ...before.slice(1)]);
  assert.deepEqual([hashes(moved.left), hashes(moved.current)], [[1], [2, 3]]);
  const stillShared = retarget(before, [...before.slice(0, 2), { name: 'bob.alt', root: a }]);
  assert.deepEqual(hashes(stillShared.left), [], 'a name below another counts');
  const released = retarget(before, before.slice(2));
  assert.deepEqual(hashes(released.left), [1], 'with the name goes what stood below it');
  assert.deepEqual(hashes(retarget(before, []).left), [1, 2]);
  assert.deepEqual(retarget(before, before).left, []);
});

test('the same hash under another codec is the same site', () => {
  const asRaw = rootOf(1, raw.code);
  const { left } = retarget([{ name: 'a.alt', root: a }], [{ name: 'a.alt', root: asRaw }]);
  assert.deepEqual(left, []);
});

test('each root is pointed to, left or neither, and said once', () => {
  const target = fc.record({
    name: fc.constantFrom('a.alt', 'b.alt', 'c.alt'),
    root: fc.integer({ min: 1, max: 3 }).map((digit) => rootOf(digit)),
  });
  const names = fc.uniqueArray(target, { selector: ({ name }) => name, maxLength: 3 });
  checkProperty(
    fc.property(names, names, (before, after) => {
      const { left, current } = retarget(before, after);
      const now = new Set(hashes(after.map(({ root }) => root)));
      const old = new Set(hashes(before.map(({ root }) => root)));
      assert.deepEqual(new Set(hashes(current)), now);
      assert.deepEqual(
        hashes(left),
        [...old].filter((digit) => !now.has(digit)),
      );
    }),
  );
});

test('names are found by what they point to', () => {
  const found = namesByRoot([
    { name: 'x.alt', root: a },
    { name: 'y.alt', root: b },
    { name: 'z.alt', root: a },
  ]);
  assert.deepEqual([...found.values()], [['x.alt', 'z.alt'], ['y.alt']]);
});
