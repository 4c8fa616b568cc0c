import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { test } from 'node:test';
import { StreamSlots } from './stream-slots.ts';

const never = new AbortController().signal;

test('whoever comes too many waits for one to be given back, in order', async () => {
  const slots = new StreamSlots(2);
  const gives = [await slots.take('a', never), await slots.take('a', never)];
  const order: string[] = [];
  const later = ['first', 'second'].map(async (name) => {
    const give = await slots.take('a', never);
    order.push(name);
    return give;
  });
  await slots.take('b', never);
  assert.deepEqual(order, []);
  gives[0]?.();
  gives[0]?.(); // counts once
  await setImmediate();
  assert.deepEqual(order, ['first']);
  gives[1]?.();
  await Promise.all(later);
  assert.deepEqual(order, ['first', 'second']);
});

test('who gives up waiting leaves the place to others', async () => {
  const slots = new StreamSlots(1);
  const give = await slots.take('a', never);
  const leaving = new AbortController();
  const gone = slots.take('a', leaving.signal);
  const next = slots.take('a', never);
  leaving.abort(new Error('gone'));
  await assert.rejects(gone, /gone/);
  give();
  await next;
});
