import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ManualWorld, manualWorld } from '../../test/support/manual-world.ts';
import { type Disturbance, DisturbanceWatch } from './disturbance.ts';

const dayMs = 24 * 3_600_000;

function bench() {
  const manual: ManualWorld = manualWorld();
  const it = {
    manual,
    seen: [] as Disturbance[],
    addresses: 'a',
    wallMs: 0,
    monotonicMs: 0,
    answered: 0,
    unanswered: 0,
  };
  const clock = {
    unixMs: () => manual.clock.unixMs() + it.wallMs,
    monotonicMs: () => manual.clock.monotonicMs() + it.monotonicMs,
  };
  const watch = new DisturbanceWatch({
    world: { ...manual, clock },
    addresses: () => it.addresses,
    requests: () => ({ answered: it.answered, unanswered: it.unanswered }),
    onDisturbance: (what) => void it.seen.push(what),
  });
  watch.start();
  return Object.assign(it, { watch });
}

test('a clock that is set is noticed, forward and back, and each time once', () => {
  const it = bench();
  it.manual.advance(60_000);
  it.wallMs += dayMs;
  it.manual.advance(60_000);
  it.wallMs -= 2 * dayMs;
  it.manual.advance(60_000);
  assert.deepEqual(it.seen, [
    { kind: 'clock', movedMs: dayMs },
    { kind: 'clock', movedMs: -2 * dayMs },
  ]);
  it.watch.stop();
  assert.equal(it.manual.pendingTimers(), 0);
});

test('time in which nothing ran is noticed, a busy machine and a slewed clock are not', () => {
  const it = bench();
  it.wallMs += 5000;
  it.manual.advance(10_000);
  it.monotonicMs += 10_000;
  it.wallMs += 10_000;
  it.manual.advance(10_000);
  assert.deepEqual(it.seen, []);
  it.monotonicMs += dayMs;
  it.wallMs += dayMs;
  it.manual.advance(10_000);
  assert.deepEqual(it.seen, [{ kind: 'pause', lateMs: dayMs }]);
});

test('other addresses are noticed', () => {
  const it = bench();
  it.addresses = 'b';
  it.manual.advance(10_000);
  assert.deepEqual(it.seen, [{ kind: 'addresses' }]);
});

test('a line that was out and is back is noticed once, a single peer that is gone is not', () => {
  const it = bench();
  const later = (answered: number, unanswered: number): void => {
    it.answered += answered;
    it.unanswered += unanswered;
    it.manual.advance(3000);
  };
  later(3, 0);
  later(0, 1);
  later(0, 0);
  later(1, 1); // somebody else answers
  for (let i = 0; i < 100; i++) later(0, 0); // a quiet node
  later(1, 0);
  assert.deepEqual(it.seen, []);
  later(0, 2);
  for (let i = 0; i < 3; i++) later(0, i);
  later(1, 1);
  later(5, 0);
  assert.deepEqual(it.seen, [{ kind: 'line' }]);
  it.watch.stop();
});
