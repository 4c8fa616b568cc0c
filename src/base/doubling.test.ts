import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextDelayMs } from './doubling.ts';

test('a delay doubles from the first to the last, and stays there', () => {
  const delays: number[] = [];
  for (let i = 0; i < 6; i++) {
    delays.push(nextDelayMs(delays.at(-1), { firstMs: 2000, lastMs: 30_000 }));
  }
  assert.deepEqual(delays, [2000, 4000, 8000, 16_000, 30_000, 30_000]);
});
