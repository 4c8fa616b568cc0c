import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { Bytes } from '../base/bytes.ts';
import { sketchBytesMax, VisitorSketch } from './visitor-sketch.ts';

/** The hash of one of many visitors; each `seed` has others. */
function visitor(seed: number, number: number): Bytes {
  return createHash('sha256').update(`${seed}/${number}`).digest().subarray(0, 8);
}

function sketchOf(seed: number, visitors: number): VisitorSketch {
  const sketch = new VisitorSketch();
  for (let i = 0; i < visitors; i++) sketch.add(visitor(seed, i));
  return sketch;
}

test('few visitors are counted exactly, however often they come', () => {
  for (const visitors of [0, 1, 2, 60, 124]) {
    const sketch = sketchOf(1, visitors);
    for (let i = 0; i < visitors; i++) assert.equal(sketch.add(visitor(1, i)), false);
    assert.equal(sketch.count, visitors);
  }
  assert.equal(sketchOf(2, 125).count, 125);
});

test('10,000 visitors are counted within 3 %, as the root mean square of many sets', () => {
  const sets = 40;
  const errors = Array.from({ length: sets }, (_, seed) => sketchOf(seed, 10_000).count / 1e4 - 1);
  const meanSquare = errors.reduce((sum, error) => sum + error ** 2, 0) / sets;
  const bias = errors.reduce((sum, error) => sum + error, 0) / sets;
  assert.ok(Math.sqrt(meanSquare) < 0.03, `off by ${Math.sqrt(meanSquare)}`);
  assert.ok(Math.abs(bias) < 0.01, `on average off by ${bias}`);
});

test('also between few and many, and far beyond', () => {
  for (const [visitors, share] of [
    [500, 0.06],
    [2000, 0.07],
    [200_000, 0.09],
  ] as const) {
    const { count } = sketchOf(7, visitors);
    assert.ok(Math.abs(count - visitors) < visitors * share, `${count} for ${visitors}`);
  }
});

test('what is written down goes on where it was, in at most 1 KiB', () => {
  for (const visitors of [0, 5, 124, 125, 3000]) {
    const octets = sketchOf(3, visitors).encode();
    assert.ok(octets.length <= Math.min(sketchBytesMax, 1024));
    const read = VisitorSketch.decode(octets);
    assert.ok(read);
    assert.equal(read.count, sketchOf(3, visitors).count);
    assert.deepEqual(read.encode(), octets);
    for (let i = 0; i < visitors; i++) assert.equal(read.add(visitor(3, i)), false);
    for (let i = visitors; i < 4000; i++) read.add(visitor(3, i));
    assert.ok(Math.abs(read.count - 4000) < 300, `${read.count}`);
  }
});

function changed(octets: Bytes, at: number, to: number): Bytes {
  const copy = octets.slice();
  copy[at] = to;
  return copy;
}

test('damaged octets are refused', () => {
  const few = sketchOf(4, 5).encode();
  const many = sketchOf(4, 500).encode();
  const bad = [
    new Uint8Array(0),
    few.subarray(0, 20),
    changed(few, 0, 9),
    changed(few, 3, 4),
    changed(few, 16, 0xff),
    many.subarray(1),
    changed(many, 8, 0xff),
    changed(many, 8, 0x7f),
  ];
  for (const octets of bad) assert.equal(VisitorSketch.decode(octets), undefined);
});
