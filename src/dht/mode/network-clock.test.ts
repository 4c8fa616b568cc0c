import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../../../test/support/manual-world.ts';
import { NetworkClock } from './network-clock.ts';

const dayMs = 24 * 3_600_000;

/** A clock whose owner sets it, and what others say of it. */
function bench() {
  const world = manualWorld();
  const real = world.clock;
  const advance = (ms: number): void => world.advance(ms);
  const it = { setMs: 0, offset: undefined as number | undefined, forgotten: 0, advance };
  const own = { unixMs: () => real.unixMs() + it.setMs, monotonicMs: () => real.monotonicMs() };
  const clock = new NetworkClock(own, {
    seconds: () => it.offset,
    isWrong: () => Math.abs(it.offset ?? 0) >= 300,
    forget: () => {
      it.offset = undefined;
      it.forgotten++;
    },
  });
  const set = (byMs: number): void => {
    it.setMs += byMs;
    clock.moved(byMs);
  };
  /** How far what it says is from the truth. */
  const errors = (): readonly number[] =>
    [clock.unixMs(), clock.earliestUnixMs()].map((ms) => ms - real.unixMs());
  return Object.assign(it, { clock, set, errors });
}

test('our clock counts until others say that it is wrong, and then theirs does', () => {
  const it = bench();
  assert.deepEqual(it.errors(), [0, 0]);
  it.offset = 299;
  assert.deepEqual(it.errors(), [0, 0]);
  it.setMs = dayMs;
  it.offset = -dayMs / 1000;
  assert.deepEqual(it.errors(), [0, 0]);
  it.setMs = -dayMs;
  it.offset = dayMs / 1000;
  assert.deepEqual(it.errors(), [0, -dayMs], 'nobody makes us forget by saying that it is late');
});

test('after the clock moved nothing is over that would not have been before, for a while', () => {
  const it = bench();
  it.offset = 0;
  it.set(dayMs);
  assert.equal(it.forgotten, 1);
  assert.ok(it.clock.isDoubtful());
  assert.deepEqual(it.errors(), [dayMs, 0]);
  it.offset = -dayMs / 1000;
  assert.ok(!it.clock.isDoubtful(), 'others have said what time it is');
  assert.deepEqual(it.errors(), [0, 0]);
  it.set(-dayMs);
  assert.deepEqual(it.errors(), [0, 0], 'wrong and right again');
  it.advance(600_000);
  assert.ok(!it.clock.isDoubtful(), 'where nobody says, our clock counts again');
  it.set(dayMs);
  it.advance(600_000);
  assert.deepEqual(it.errors(), [dayMs, dayMs]);
});
