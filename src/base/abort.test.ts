import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { untilAborted } from './abort.ts';
import { AltNetError, isAltNetError } from './errors.ts';

function listeners(signal: AbortSignal): number {
  return getEventListeners(signal, 'abort').length;
}

function isAborted(error: unknown): boolean {
  return isAltNetError(error, 'ABORTED');
}

test('waiting ends with the work and leaves no listener', async () => {
  const { signal } = new AbortController();
  const done = Promise.withResolvers<number>();
  const waiting = untilAborted(done.promise, signal);
  assert.equal(listeners(signal), 1);
  done.resolve(7);
  assert.equal(await waiting, 7);
  const failing = untilAborted(Promise.reject(new Error('its own')), signal);
  await assert.rejects(failing, /its own/);
  assert.equal(listeners(signal), 0);
  assert.equal(await untilAborted(Promise.resolve(8), undefined), 8);
});

test('waiting ends with the signal, whatever becomes of the work', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const never = Promise.withResolvers<void>();
  const waiting = untilAborted(never.promise, signal);
  controller.abort(new AltNetError('ABORTED', {}));
  await assert.rejects(waiting, isAborted);
  assert.equal(listeners(signal), 0);
  // Unhandled, this rejection would end the process.
  never.reject(new Error('too late'));
});

test('a signal that has aborted already comes first', async () => {
  const signal = AbortSignal.abort('words are no error');
  await assert.rejects(untilAborted(Promise.resolve(7), signal), isAborted);
  await assert.rejects(untilAborted(Promise.reject(new Error('its own')), signal), isAborted);
  assert.equal(listeners(signal), 0);
});
