import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AltNetError, isAltNetError } from './errors.ts';
import { KeyedTurns } from './keyed-turns.ts';

test('work for one name goes in turn, for another at the same time', async () => {
  const turns = new KeyedTurns();
  const log: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = turns.run('a', async () => {
    await gate.promise;
    log.push('first');
    throw new Error('its own');
  });
  const second = turns.run('a', async () => log.push('second'));
  await turns.run('b', async () => log.push('other'));
  gate.resolve();
  await assert.rejects(first, /its own/);
  await second;
  assert.deepEqual(log, ['other', 'first', 'second']);
});

test('who gives up waiting lets nobody overtake, and too many are refused', async () => {
  const turns = new KeyedTurns({ pendingMax: 3, what: 'letters' });
  const log: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = turns.run('a', async () => {
    await gate.promise;
    log.push('first');
  });
  const controller = new AbortController();
  const second = turns.run('a', async () => log.push('second'), controller.signal);
  const third = turns.run('a', async () => log.push('third'));
  await assert.rejects(
    turns.run('b', async () => log.push('fourth')),
    (error) => isAltNetError(error, 'BUSY') && error.message.startsWith('letters: '),
  );
  assert.equal(turns.pending, 3);
  controller.abort(new AltNetError('ABORTED', {}));
  await assert.rejects(second, (error) => isAltNetError(error, 'ABORTED'));
  assert.equal(log.length, 0);
  gate.resolve();
  await Promise.all([first, third]);
  await turns.run('b', async () => log.push('later'));
  assert.deepEqual(log, ['first', 'third', 'later']);
  assert.equal(turns.pending, 0);
});
