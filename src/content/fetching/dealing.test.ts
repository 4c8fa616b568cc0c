import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../../test/support/property.ts';
import { isForWorker, type Worker } from './dealing.ts';

const leafBytes = 262_144;

function worker(dueBytes: number, bytesPerMs: number | undefined): Worker {
  return { dueBytes, bytesPerMs };
}

/** One of several leaves, as many bytes in all. */
function queued(queuedBytes: number): { bytes: number; queuedBytes: number } {
  return { bytes: leafBytes, queuedBytes };
}

test('while much is left everybody is asked ahead', () => {
  const [fast, slow] = [worker(2_000_000, 3000), worker(500_000, 700)];
  assert.ok(isForWorker(fast, [slow], queued(20_000_000)));
  assert.ok(isForWorker(slow, [fast], queued(20_000_000)));
});

test('the last leaf is left to the one who brings it first', () => {
  const [fast, slow] = [worker(300_000, 3000), worker(0, 300)];
  assert.ok(isForWorker(fast, [slow], queued(leafBytes)));
  assert.ok(!isForWorker(slow, [fast], queued(leafBytes)));
  assert.ok(!isForWorker(worker(600_000, 700), [fast], queued(leafBytes)));
});

test('of whom nothing is known is tried, and says nothing of when the end will be', () => {
  const unknown = worker(leafBytes, undefined);
  assert.ok(isForWorker(unknown, [worker(0, 3000)], queued(leafBytes)));
  assert.ok(isForWorker(worker(0, 10), [unknown], queued(leafBytes)));
});

const stepMs = 10;

/** How long the fetch takes, in milliseconds, when each brings what it always brings. */
function simulate(rates: readonly number[], leaves: number): number {
  const due = rates.map(() => 0);
  let left = leaves;
  for (let ms = 0; ms < 3_600_000; ms += stepMs) {
    for (const [i, rate] of rates.entries()) {
      const others = due.flatMap((bytes, j) => (j === i ? [] : worker(bytes, rates[j])));
      while (left > 0 && (due[i] ?? 0) < rate * 1000) {
        if (!isForWorker(worker(due[i] ?? 0, rate), others, queued(left * leafBytes))) break;
        due[i] = (due[i] ?? 0) + leafBytes;
        left--;
      }
    }
    if (left === 0 && due.every((bytes) => bytes === 0)) return ms;
    for (const [i, rate] of rates.entries()) due[i] = Math.max((due[i] ?? 0) - rate * stepMs, 0);
  }
  return Infinity;
}

test('who has nothing to do and would bring a leaf by the end is asked for it', () => {
  assert.ok(isForWorker(worker(0, 50), [worker(0, 100), worker(0, 50)], queued(5 * leafBytes)));
  assert.ok(simulate([50, 100, 50], 5) < 8000, 'else the last leaf takes until 10510 ms');
});

test('nobody keeps the others waiting, however different they are', () => {
  const rates = fc.array(fc.integer({ min: 50, max: 5000 }), { minLength: 1, maxLength: 8 });
  checkProperty(
    fc.property(rates, fc.integer({ min: 1, max: 200 }), (some, leaves) => {
      const bestMs = (leaves * leafBytes) / some.reduce((sum, rate) => sum + rate, 0);
      const leafMs = leafBytes / Math.max(...some);
      const ms = simulate(some, leaves);
      assert.ok(ms <= bestMs * 1.1 + leafMs + 300 + 2 * stepMs, `${ms} ms instead of ${bestMs}`);
    }),
  );
});
