import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Runtime, type RuntimeSnapshot } from './runtime.ts';

function lagged({ lag: { bounds, counts } }: RuntimeSnapshot, seconds: number): number {
  return counts.reduce((sum, count, i) => sum + ((bounds[i - 1] ?? 0) >= seconds ? count : 0), 0);
}

function collectionsIn({ collections }: RuntimeSnapshot): number {
  return Object.values(collections)
    .flatMap(({ counts }) => counts)
    .reduce((sum, count) => sum + count, 0);
}

function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

test('a blocked event loop shows as lag, and ranges never shrink', async () => {
  const runtime = new Runtime();
  runtime.start();
  try {
    await delay(60); // the timer of the loop has begun
    const before = runtime.snapshot();
    block(300);
    let after = runtime.snapshot();
    while (lagged(after, 0.25) === lagged(before, 0.25)) {
      await delay(20);
      after = runtime.snapshot();
    }
    for (const [i, count] of before.lag.counts.entries()) {
      assert.ok((after.lag.counts[i] ?? 0) >= count);
    }
    assert.ok(after.lag.sumSeconds >= before.lag.sumSeconds + 0.2);
  } finally {
    runtime.stop();
  }
});

test('collections and memory are told; nothing is counted after stop', async () => {
  const runtime = new Runtime();
  runtime.start();
  for (let made: unknown[] = []; collectionsIn(runtime.snapshot()) === 0; made = made.slice(-10)) {
    made.push(Array.from({ length: 100_000 }, (_, i) => ({ i })));
    await delay(1);
  }
  const told = runtime.snapshot();
  assert.deepEqual(Object.keys(told.collections).toSorted(), [
    'incremental',
    'major',
    'minor',
    'weakcb',
  ]);
  assert.ok(told.heapUsedBytes > 0 && told.residentBytes > told.heapUsedBytes);
  assert.ok(told.cpuSeconds > 0 && told.startedUnixSeconds > 1_700_000_000);
  runtime.stop();
  runtime.stop();
  const stopped = runtime.snapshot();
  assert.deepEqual(runtime.snapshot().lag, stopped.lag);
});
