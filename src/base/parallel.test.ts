import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachOf } from './parallel.ts';

test('each item has its turn, and never more than so many at once', async () => {
  const done: number[] = [];
  let running = 0;
  let most = 0;
  await forEachOf([1, 2, 3, 4, 5], 2, async (item) => {
    running += 1;
    most = Math.max(most, running);
    await Promise.resolve();
    running -= 1;
    done.push(item);
  });
  assert.deepEqual([done.toSorted((a, b) => a - b), most], [[1, 2, 3, 4, 5], 2]);
});

test('a failure ends it once what is under way has ended', async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const failing = forEachOf([1, 2, 3, 4], 2, async (item) => {
    begun.push(item);
    if (item === 1) throw new Error('one');
    await Promise.resolve();
    ended.push(item);
  });
  await assert.rejects(failing, { message: 'one' });
  assert.deepEqual([begun, ended], [[1, 2], [2]]);
});
