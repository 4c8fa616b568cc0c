import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../test/support/property.ts';
import { Estimate } from './estimate.ts';

test('nothing is said before there is something to say', () => {
  const estimate = new Estimate();
  const said = (): unknown[] => [estimate.bytesPerSecond, estimate.secondsLeft];
  assert.deepEqual(said(), [undefined, undefined]);
  estimate.add({ nowMs: 0, bytes: 0, bytesTotal: 10_000 });
  estimate.add({ nowMs: 100, bytes: 500, bytesTotal: 10_000 }); // a burst
  estimate.add({ nowMs: 1000, bytes: 1000, bytesTotal: 10_000 });
  assert.deepEqual(said(), [undefined, undefined]);
  estimate.add({ nowMs: 2000, bytes: 2000, bytesTotal: 10_000 });
  assert.equal(Math.round(estimate.bytesPerSecond ?? 0), 1000);
  assert.equal(Math.round(estimate.secondsLeft ?? 0), 8);
});

test('what was there before it began says nothing of the speed', () => {
  const estimate = new Estimate();
  estimate.add({ nowMs: 50, bytes: 1e9, bytesTotal: 2e9 });
  for (const second of [1, 2, 3]) {
    estimate.add({ nowMs: 50 + 1000 * second, bytes: 1e9 + 1e6 * second, bytesTotal: 2e9 });
  }
  assert.equal(Math.round(estimate.bytesPerSecond ?? 0), 1e6);
});

test('the time left does not jump when the speed does', () => {
  const estimate = new Estimate();
  let bytes = 0;
  let before: number | undefined;
  for (let second = 0; second < 120; second++) {
    estimate.add({ nowMs: second * 1000, bytes, bytesTotal: 1_000_000 });
    bytes += second % 2 === 0 ? 1000 : 9000; // 5000 on the average
    const left = estimate.secondsLeft;
    if (before !== undefined && left !== undefined && second > 20) {
      assert.ok(Math.abs(left - before) < 0.1 * before, `${before} s, then ${left} s`);
    }
    before = left;
  }
  const truth = (1_000_000 - bytes) / 5000;
  assert.ok(Math.abs((before ?? 0) - truth) < 0.15 * truth, `${before} s, and it takes ${truth} s`);
});

test('work that becomes fast is not said to take seconds when it is as good as done', () => {
  const estimate = new Estimate();
  const bytesTotal = 300e6;
  let bytes = 0;
  for (let nowMs = 0; bytes < bytesTotal; nowMs += 250) {
    estimate.add({ nowMs, bytes, bytesTotal });
    bytes += nowMs < 2000 ? 0.5e6 : 25e6;
  }
  const left = estimate.secondsLeft ?? 0;
  const rate = estimate.bytesPerSecond ?? 0;
  assert.ok(left < 1.5, `${left} s for 25 MB at ${rate} B/s`);
});

test('work that begins anew, stands still or has no known end', () => {
  const estimate = new Estimate();
  for (let second = 0; second < 5; second++) {
    estimate.add({ nowMs: second * 1000, bytes: second * 1000, bytesTotal: 100_000 });
  }
  estimate.add({ nowMs: 5000, bytes: 10, bytesTotal: 100_000 });
  assert.equal(estimate.secondsLeft, undefined, 'anew');
  for (let second = 6; second < 10; second++) {
    estimate.add({ nowMs: second * 1000, bytes: 10, bytesTotal: 100_000 });
  }
  assert.deepEqual([estimate.bytesPerSecond, estimate.secondsLeft], [0, undefined]);
  const endless = new Estimate();
  for (const second of [0, 1, 2, 3]) endless.add({ nowMs: second * 1000, bytes: second * 50 });
  assert.deepEqual([Math.round(endless.bytesPerSecond ?? 0), endless.secondsLeft], [50, undefined]);
});

test('whatever comes, what is said is a number that can be', () => {
  const step = fc.record({
    afterMs: fc.nat({ max: 100_000 }),
    bytes: fc.nat(),
    bytesTotal: fc.nat(),
  });
  checkProperty(
    fc.property(fc.array(step), (steps) => {
      const estimate = new Estimate();
      let nowMs = 0;
      for (const { afterMs, bytes, bytesTotal } of steps) {
        estimate.add({ nowMs: (nowMs += afterMs), bytes, bytesTotal });
        for (const value of [estimate.bytesPerSecond, estimate.secondsLeft]) {
          assert.ok(value === undefined || (Number.isFinite(value) && value >= 0), String(value));
        }
      }
    }),
  );
});
