import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Durations } from './durations.ts';

test('each duration counts in its range, bounds included', () => {
  const durations = new Durations([0.1, 1]);
  for (const seconds of [0, 0.1, 0.11, 1, 5]) durations.add(seconds);
  durations.add(0.5, 3);
  const { counts, sumSeconds, bounds } = durations.snapshot();
  assert.deepEqual(counts, [2, 5, 1]);
  assert.deepEqual(bounds, [0.1, 1]);
  assert.ok(Math.abs(sumSeconds - 7.71) < 1e-9);
});

test('a snapshot stays as it was', () => {
  const durations = new Durations([1]);
  const before = durations.snapshot();
  durations.add(0.5);
  assert.deepEqual(before.counts, [0, 0]);
});
