import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { AltNetError, isAltNetError } from './errors.ts';
import { SharedWork, type WorkLimit } from './shared-work.ts';

interface Bench {
  readonly shared: SharedWork<number, string>;
  /** The signals of all work that was begun. */
  readonly begun: AbortSignal[];
  /** Ends the work that was begun last, or the next one. */
  readonly finish: (value: number) => void;
  readonly ask: (signal?: AbortSignal, key?: string) => Promise<number>;
}

function bench(limit?: WorkLimit): Bench {
  const shared = new SharedWork<number, string>(limit);
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
    ask: (signal, key = 'key') => shared.run(key, work, { signal }),
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

test('all who wait are told how far it is, and those who left no more', async () => {
  const shared = new SharedWork<void, string>();
  const done = Promise.withResolvers<void>();
  const reports: ((progress: string) => void)[] = [];
  const work = (_: AbortSignal, tell: (progress: string) => void): Promise<void> => {
    reports.push(tell);
    return done.promise;
  };
  const heard: string[] = [];
  const leaving = new AbortController();
  const stays = shared.run('key', work, { onProgress: (far) => heard.push(`stays: ${far}`) });
  const leaves = shared.run('key', work, {
    signal: leaving.signal,
    onProgress: (far) => heard.push(`leaves: ${far}`),
  });
  const [report] = reports;
  report?.('half');
  leaving.abort(new AltNetError('ABORTED', {}));
  await assert.rejects(leaves, (error) => isAltNetError(error, 'ABORTED'));
  report?.('all');
  done.resolve();
  await stays;
  assert.deepEqual(heard, ['stays: half', 'leaves: half', 'stays: all']);
});

test('no more is begun than may go on at once; who joins needs no room', async () => {
  const { ask, finish } = bench({ jobsMax: 1, what: 'sums' });
  const first = ask();
  await assert.rejects(
    ask(undefined, 'other'),
    (error) => isAltNetError(error, 'BUSY') && error.message.startsWith('sums: '),
  );
  const joined = ask();
  finish(5);
  assert.deepEqual(await Promise.all([first, joined]), [5, 5]);
  const other = ask(undefined, 'other');
  finish(6);
  assert.equal(await other, 6);
});

test('what is forgotten is begun anew, and goes on for those who wait', async () => {
  const { shared, ask, begun, finish } = bench();
  const before = ask();
  shared.forget('key');
  const after = ask();
  assert.equal(begun.length, 2);
  assert.equal(begun[0]?.aborted, false);
  finish(4);
  assert.deepEqual(await Promise.all([before, after]), [4, 4]);
});

test('stopping gives up everything, and waits until it has ended', async () => {
  const shared = new SharedWork<void>();
  let ended = 0;
  const work = async (signal: AbortSignal): Promise<void> => {
    const { promise: aborted, resolve } = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => resolve(), { once: true });
    await aborted;
    ended++;
    signal.throwIfAborted();
  };
  const waiting = ['a', 'b'].map((key) =>
    assert.rejects(shared.run(key, work), (error) => isAltNetError(error, 'ABORTED')),
  );
  await shared.stop();
  assert.equal(ended, 2);
  await Promise.all(waiting);
});

test('who stops it waits for what was given up before as well', async () => {
  const { shared, ask, begun, finish } = bench();
  const impatient = new AbortController();
  const given = assert.rejects(ask(impatient.signal), /gone/);
  impatient.abort(new Error('gone'));
  await given;
  assert.equal(begun[0]?.aborted, true);
  const events: string[] = []; // BOUNDED by this test
  const stopped = shared.stop().then(() => events.push('stopped'));
  await setImmediate();
  events.push('ended');
  finish(1);
  await stopped;
  assert.deepEqual(events, ['ended', 'stopped']);
});
