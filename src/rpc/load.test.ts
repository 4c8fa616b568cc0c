import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ManualWorld, manualWorld } from '../../test/support/manual-world.ts';
import { DhBudget } from './dh-budget.ts';
import { LoadGauge } from './load.ts';
import { RetransmissionTimeout } from './rto.ts';
import { WorkQueue } from './work-queue.ts';

test('load begins with the 129th request that waits', () => {
  const gauge = new LoadGauge(manualWorld(), 1500);
  assert.ok(!gauge.underLoad(128));
  assert.ok(gauge.underLoad(129));
});

test('load begins with 1,500 handshakes in a second and ends when they are older', () => {
  const world = manualWorld();
  const gauge = new LoadGauge(world, 1500);
  for (let i = 0; i < 1499; i++) gauge.noteHandshake();
  assert.ok(!gauge.underLoad(0));
  gauge.noteHandshake();
  assert.ok(gauge.underLoad(0));
  world.advance(1000);
  assert.ok(!gauge.underLoad(0));
  gauge.stop();
});

test('load begins with an event loop that lags, and probing ends with the handshakes', () => {
  const world = manualWorld();
  let lateMs = 0;
  const clock = { ...world.clock, monotonicMs: () => world.clock.monotonicMs() + lateMs };
  const gauge = new LoadGauge({ clock, timers: world.timers }, 1500);
  assert.equal(world.pendingTimers(), 0, 'an idle node probes nothing');
  gauge.noteHandshake();
  lateMs = 50;
  world.advance(100);
  assert.ok(!gauge.underLoad(0), '50 ms are no lag');
  assert.equal(world.pendingTimers(), 0);
  gauge.noteHandshake();
  lateMs += 51;
  world.advance(100);
  assert.ok(gauge.underLoad(0));
  world.advance(1000);
  assert.ok(!gauge.underLoad(0));
  gauge.noteHandshake();
  gauge.stop();
  gauge.stop();
  assert.equal(world.pendingTimers(), 0);
});

/** A budget and a queue whose jobs each take `jobMs` of manual time. */
function queueWith({ world, share, jobMs }: { world: ManualWorld; share: number; jobMs: number }): {
  queue: WorkQueue;
  add: () => boolean;
  done: () => number;
} {
  let nowMs = 0;
  let done = 0;
  const clock = { ...world.clock, monotonicMs: () => world.clock.monotonicMs() + nowMs };
  const queue = new WorkQueue({ clock, timers: world.timers }, new DhBudget(clock, share));
  const job = (): void => {
    done += 1;
    nowMs += jobMs;
  };
  return { queue, add: () => queue.add(job), done: () => done };
}

test('work beyond the budget waits for its share of time', () => {
  const world = manualWorld();
  const { queue, add, done } = queueWith({ world, share: 0.5, jobMs: 1 });
  for (let i = 0; i < 100; i++) assert.ok(add());
  // 25 ms of credit and what came back meanwhile: about 50 jobs of 1 ms at once.
  assert.ok(done() >= 49 && done() <= 51, `${done()} at once`);
  const atOnce = done();
  world.advance(20);
  assert.ok(done() > atOnce && done() < 100);
  world.advance(200);
  assert.equal(done(), 100);
  assert.equal(queue.length, 0);
  queue.stop();
});

test('the queue is bounded, and stopping empties it', () => {
  const world = manualWorld();
  const { queue, add } = queueWith({ world, share: 0.01, jobMs: 1000 });
  const taken = Array.from({ length: 600 }, add).filter(Boolean).length;
  assert.equal(taken, 513, 'one done at once, 512 waiting');
  queue.stop();
  assert.equal(queue.length, 0);
  assert.equal(world.pendingTimers(), 0);
});

test('a share of 1 never waits', () => {
  const { queue, add, done } = queueWith({ world: manualWorld(), share: 1, jobMs: 1000 });
  for (let i = 0; i < 100; i++) add();
  assert.equal(done(), 100);
  queue.stop();
});

test('the timeout starts at 750 ms and follows the 95th percentile within 250–2,000 ms', () => {
  const rto = new RetransmissionTimeout();
  assert.equal(rto.ms, 750);
  for (let i = 0; i < 9; i++) rto.observe(400);
  assert.equal(rto.ms, 750, 'nine samples say too little');
  rto.observe(400);
  assert.equal(rto.ms, 400);
  for (let i = 0; i < 90; i++) rto.observe(1);
  assert.equal(rto.ms, 400, '10 of 100 are above: the 95th is one of them');
  for (let i = 0; i < 100; i++) rto.observe(1);
  assert.equal(rto.ms, 250);
  for (let i = 0; i < 100; i++) rto.observe(60_000);
  assert.equal(rto.ms, 2000);
});
