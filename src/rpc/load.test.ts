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

test('load begins with 1,500 requests in a second and ends when they are older', () => {
  const world = manualWorld();
  const gauge = new LoadGauge(world, 1500);
  for (let i = 0; i < 1499; i++) gauge.noteArrival();
  assert.ok(!gauge.underLoad(0));
  gauge.noteArrival();
  assert.ok(gauge.underLoad(0));
  world.advance(1000);
  assert.ok(!gauge.underLoad(0));
  gauge.stop();
});

test('load begins with an event loop that lags, and probing ends with the requests', () => {
  const world = manualWorld();
  let lateMs = 0;
  const clock = { ...world.clock, monotonicMs: () => world.clock.monotonicMs() + lateMs };
  const gauge = new LoadGauge({ clock, timers: world.timers }, 1500);
  assert.equal(world.pendingTimers(), 0, 'an idle node probes nothing');
  gauge.noteArrival();
  lateMs = 50;
  world.advance(100);
  assert.ok(!gauge.underLoad(0), '50 ms are no lag');
  assert.equal(world.pendingTimers(), 0);
  gauge.noteArrival();
  lateMs += 51;
  world.advance(100);
  assert.ok(gauge.underLoad(0));
  world.advance(1000);
  assert.ok(!gauge.underLoad(0));
  gauge.noteArrival();
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
  assert.equal(taken, 257, 'one done at once, 256 waiting');
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

test('a stranger is given what most peers take, within 250–2,000 ms', () => {
  const rto = new RetransmissionTimeout();
  const observe = (rttMs: number, times: number): void => {
    for (let i = 0; i < times; i++) rto.observe(rttMs, `peer ${i}`);
  };
  const strangerMs = (): number | undefined => {
    const [first, last] = rto.waitsMs('stranger');
    assert.equal(first, last);
    return first;
  };
  assert.equal(strangerMs(), 750);
  observe(400, 9);
  assert.equal(strangerMs(), 750, 'nine samples say too little');
  observe(400, 1);
  assert.equal(strangerMs(), 400);
  observe(1, 90);
  assert.equal(strangerMs(), 400, '10 of 100 are above: the 95th is one of them');
  observe(1, 100);
  assert.equal(strangerMs(), 250);
  observe(60_000, 100);
  assert.equal(strangerMs(), 2000);
});

test('a known peer is asked again after a little more than it takes, and given up no sooner', () => {
  const rto = new RetransmissionTimeout();
  rto.observe(80, 'near');
  assert.deepEqual(rto.waitsMs('near'), [240, 750], 'a first answer says little');
  for (let i = 0; i < 30; i++) rto.observe(80, 'near');
  for (let i = 0; i < 30; i++) rto.observe(200, 'far');
  const [near = 0] = rto.waitsMs('near');
  const [far = 0, farAgain = 0] = rto.waitsMs('far');
  assert.equal(near, 150, 'no less, however near');
  assert.ok(far >= 200 && far < 210 && farAgain >= 250);
  for (let i = 0; i < 30; i++) rto.observe(i % 2 === 0 ? 100 : 300, 'unsteady');
  const [unsteady = 0] = rto.waitsMs('unsteady');
  assert.ok(unsteady > 400, 'who varies is given more');
});
