import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../../test/support/manual-world.ts';
import { isAltNetError } from '../base/errors.ts';
import { askUntilAnswered, type Settle } from './retransmission.ts';
import { Slots } from './slots.ts';

interface Job {
  readonly started: boolean;
  readonly signal: AbortSignal | undefined;
  readonly outcome: Promise<string>;
  finish(): void;
}

/** A job that runs until it is told to finish, or until its signal aborts. */
function startJob(slots: Slots, signal?: AbortSignal): Job {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let received: AbortSignal | undefined;
  const outcome = slots
    .run({ what: 'test', signal }, (own) => {
      received = own;
      own.addEventListener('abort', () => reject(own.reason as Error));
      return promise;
    })
    .then(
      () => 'done',
      (error: unknown) => (isAltNetError(error) ? error.code : String(error)),
    );
  return {
    get started() {
      return received !== undefined;
    },
    get signal() {
      return received;
    },
    outcome,
    finish: resolve,
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('jobs beyond the limit wait in order, and beyond the queue are refused', async () => {
  const slots = new Slots({ runningMax: 2, waitingMax: 1 });
  const [first, second, third, fourth] = Array.from({ length: 4 }, () => startJob(slots));
  assert.ok(first && second && third && fourth);
  assert.deepEqual(
    [first, second, third].map(({ started }) => started),
    [true, true, false],
  );
  assert.equal(await fourth.outcome, 'UNREACHABLE');
  second.finish();
  await turn();
  assert.ok(third.started);
  first.finish();
  third.finish();
  assert.deepEqual(await Promise.all([first.outcome, third.outcome]), ['done', 'done']);
});

test('an aborted job gives its place or its turn to others', async () => {
  const slots = new Slots({ runningMax: 1, waitingMax: 5 });
  const running = new AbortController();
  const waiting = new AbortController();
  const first = startJob(slots, running.signal);
  const second = startJob(slots, waiting.signal);
  const third = startJob(slots);
  waiting.abort(new Error('no longer'));
  assert.equal(await second.outcome, 'Error: no longer');
  running.abort(new Error('enough'));
  assert.equal(await first.outcome, 'Error: enough');
  await turn();
  assert.ok(third.started && !second.started);
  third.finish();
  assert.equal(await third.outcome, 'done');
  const after = startJob(slots);
  assert.ok(after.started, 'no place was lost');
  after.finish();
});

test('close ends what runs and what waits, once', async () => {
  const slots = new Slots({ runningMax: 1, waitingMax: 5 });
  const jobs = [startJob(slots), startJob(slots)];
  slots.close();
  slots.close();
  assert.deepEqual(await Promise.all(jobs.map(({ outcome }) => outcome)), ['ABORTED', 'ABORTED']);
  assert.equal(await startJob(slots).outcome, 'ABORTED');
});

/* Retransmission */

function asking(): {
  world: ReturnType<typeof manualWorld>;
  settles: Settle<string>[];
  ended: number[];
  controller: AbortController;
  outcome: Promise<string>;
} {
  const world = manualWorld();
  const settles: Settle<string>[] = [];
  const ended: number[] = [];
  const controller = new AbortController();
  const outcome = askUntilAnswered<string>(
    { timers: world.timers, waitsMs: [100, 100], what: 'test', signal: controller.signal },
    (settle) => {
      const n = settles.push(settle);
      return () => ended.push(n);
    },
  ).catch((error: unknown) => (isAltNetError(error) ? error.code : String(error)));
  return { world, settles, ended, controller, outcome };
}

test('an answer ends the asking', async () => {
  const { world, settles, ended, outcome } = asking();
  settles[0]?.answer('yes');
  world.advance(1000);
  assert.equal(await outcome, 'yes');
  assert.deepEqual([settles.length, ended, world.pendingTimers()], [1, [1], 0]);
});

test('a late answer to the first question counts after the second was asked', async () => {
  const { world, settles, ended, outcome } = asking();
  world.advance(100);
  assert.equal(settles.length, 2);
  settles[0]?.answer('late');
  settles[1]?.answer('second');
  assert.equal(await outcome, 'late');
  assert.deepEqual(ended, [1, 2]);
});

test('after two questions there is a timeout', async () => {
  const { world, settles, ended, outcome } = asking();
  world.advance(1000);
  assert.equal(await outcome, 'TIMEOUT');
  assert.deepEqual([settles.length, ended, world.pendingTimers()], [2, [1, 2], 0]);
});

test('an abort ends the asking with its reason, and leaves no timer', async () => {
  const { world, ended, controller, outcome } = asking();
  controller.abort(new Error('enough'));
  assert.equal(await outcome, 'Error: enough');
  assert.deepEqual([ended, world.pendingTimers()], [[1], 0]);
});

test('a question that fails on the spot leaves no timer', async () => {
  const world = manualWorld();
  const ended: number[] = [];
  const outcome = askUntilAnswered<string>(
    {
      timers: world.timers,
      waitsMs: [100, 100],
      what: 'test',
      signal: new AbortController().signal,
    },
    (settle) => {
      settle.fail(new Error('no route'));
      return () => ended.push(1);
    },
  );
  await assert.rejects(outcome, /no route/);
  assert.deepEqual([ended, world.pendingTimers()], [[1], 0]);
});
