import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../../test/support/manual-world.ts';
import { type Attempt, race } from './race.ts';

interface Runner {
  readonly attempt: Attempt<string>;
  readonly begun: Promise<AbortSignal>;
  readonly settle: PromiseWithResolvers<string>;
}

function runner(): Runner {
  const settle = Promise.withResolvers<string>();
  const { promise: begun, resolve } = Promise.withResolvers<AbortSignal>();
  const attempt: Attempt<string> = (signal) => {
    resolve(signal);
    return settle.promise;
  };
  return { attempt, begun, settle };
}

test('the first to succeed wins, and ends the others; its own signal stays as it is', async () => {
  const world = manualWorld();
  const { timers } = world;
  const [a, b, c] = [runner(), runner(), runner()];
  const signal = new AbortController().signal;
  const won = race([a.attempt, b.attempt, c.attempt], { timers, staggerMs: 250, signal });
  const first = await a.begun;
  world.advance(250);
  const second = await b.begun;
  b.settle.resolve('b');
  assert.equal(await won, 'b');
  assert.deepEqual([first.aborted, second.aborted], [true, false]);
  world.advance(1000);
  assert.equal(await Promise.race([c.begun, Promise.resolve('not begun')]), 'not begun');
});

test('the next begins at once when one fails; all failures are told', async () => {
  const { timers } = manualWorld();
  const [a, b] = [runner(), runner()];
  const signal = new AbortController().signal;
  const over = race([a.attempt, b.attempt], { timers, staggerMs: 250, signal });
  a.settle.reject(new Error('first'));
  await b.begun;
  b.settle.reject(new Error('second'));
  await assert.rejects(over, (error: unknown) => {
    assert.ok(error instanceof AggregateError);
    assert.deepEqual(error.errors.map(String), ['Error: first', 'Error: second']);
    return true;
  });
});

test('who gives up ends all of it', async () => {
  const { timers } = manualWorld();
  const a = runner();
  const giveUp = new AbortController();
  const over = race([a.attempt], { timers, staggerMs: 250, signal: giveUp.signal });
  const own = await a.begun;
  giveUp.abort(new Error('enough'));
  await assert.rejects(over, /enough/);
  assert.equal(own.aborted, true);
  await assert.rejects(race([], { timers, staggerMs: 1, signal: new AbortController().signal }));
});
