import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contactAt, strangerAt } from '../../../test/support/mode-samples.ts';
import { ClockOffset } from './clock-offset.ts';

const nowSeconds = 1_767_225_600;

function offsetOf(...offsets: readonly number[]): ClockOffset {
  const clock = new ClockOffset();
  offsets.forEach((offset, i) => {
    // Half a second of rounding, half a second on the way.
    const answer = { unixTime: nowSeconds + offset, rttMs: 1000 };
    clock.add(strangerAt(i), answer, (nowSeconds + 1) * 1000);
  });
  return clock;
}

test('the median of 8 clocks or more', () => {
  assert.equal(offsetOf(...Array<number>(7).fill(900)).seconds(), undefined);
  assert.equal(offsetOf(...Array<number>(8).fill(900)).seconds(), 900);
  assert.equal(offsetOf(1, 2, 3, 4, 5, 6, 7, 8).seconds(), 4.5);
  assert.equal(offsetOf(9, 8, 7, 6, 5, 4, 3, 2, 1).seconds(), 5);
});

test('a minority of wrong clocks does not make ours wrong, a majority does', () => {
  assert.equal(offsetOf(0, 0, 0, 0, 0, 9e4, 9e4, -9e4).isWrong(), false);
  assert.equal(offsetOf(0, 0, 0, -9e4, -9e4, -9e4, -9e4, -9e4).isWrong(), true);
  assert.equal(offsetOf(...Array<number>(8).fill(299)).isWrong(), false);
  assert.equal(offsetOf(...Array<number>(8).fill(-300)).isWrong(), true);
  assert.equal(offsetOf().isWrong(), false, 'nothing known');
});

test('a /24 has one clock', () => {
  const clock = new ClockOffset();
  for (let n = 1; n < 20; n++) {
    clock.add(contactAt(`45.1.1.${n}:9000`), { unixTime: 0, rttMs: 0 }, 0);
  }
  assert.equal(clock.seconds(), undefined);
});
