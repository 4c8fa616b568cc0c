import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedWork } from './shared-work.ts';

function bench(): {
  shared: SharedWork<number>;
  begun: AbortSignal[];
  finish: (value: number) => void;
  ask: (signal?: AbortSignal) => Promise<number>;
} {
  const shared = new SharedWork<number>();
  const begun: AbortSignal[] = [];
  let { promise, resolve } = Promise.withResolvers<number>();
  const work = (signal: AbortSignal): Promise<number> => {
    begun.push(signal);
    return promise;
  };
  return {
    shared,
    begun,
    finish: (value) => {
      resolve(value);
      ({ promise, resolve } = Promise.withResolvers<number>());
    },
    ask: (signal = new AbortController().signal) => shared.run('key', work, signal),
  };
}

test('who asks for the same meanwhile gets the same', async () => {
  const { ask, begun, finish } = bench();
  const answers = [ask(), ask()];
  assert.equal(begun.length, 1);
  finish(7);
  assert.deepEqual(await Promise.all(answers), [7, 7]);
  const later = ask();
  assert.equal(begun.length, 2, 'what is done is not remembered');
  finish(8);
  assert.equal(await later, 8);
});

test('the work ends when nobody waits for it any more', async () => {
  const { ask, begun, finish } = bench();
  const [first, second] = [new AbortController(), new AbortController()];
  const one = assert.rejects(ask(first.signal), /one/);
  const two = assert.rejects(ask(second.signal), /two/);
  first.abort(new Error('one'));
  await one;
  assert.equal(begun[0]?.aborted, false);
  second.abort(new Error('two'));
  await two;
  assert.equal(begun[0]?.aborted, true);
  const third = ask();
  assert.equal(begun.length, 2, 'what was given up is begun anew');
  finish(3);
  assert.equal(await third, 3);
  await assert.rejects(ask(first.signal), /one/);
});
