import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../../../test/support/manual-world.ts';
import { tinyContact } from '../../../test/support/tiny-contact.ts';
import type { Contact } from '../../identity/contact.ts';
import { Newcomers } from './newcomers.ts';

function bench(newcomersMax = 3): {
  newcomers: Newcomers;
  pinged: (number | undefined)[];
  world: ReturnType<typeof manualWorld>;
  controller: AbortController;
  known: Set<number | undefined>;
} {
  const world = manualWorld();
  const controller = new AbortController();
  const pinged: (number | undefined)[] = [];
  const known = new Set<number | undefined>();
  const newcomers = new Newcomers(
    {
      timers: world.timers,
      wants: ({ id: [id] }) => !known.has(id),
      ping: ({ id: [id] }) => {
        pinged.push(id);
        return Promise.resolve();
      },
      signal: controller.signal,
    },
    { newcomersMax, newcomerIntervalMs: 500 },
  );
  return { newcomers, pinged, world, controller, known };
}

function at(id: number, ...ip: number[]): Contact {
  return { ...tinyContact(id), endpoint: { ip: Uint8Array.from(ip), port: 9000 } };
}

test('each is asked once, one at a time', async () => {
  const { newcomers, pinged, world } = bench();
  for (const id of [1, 2, 1, 1]) newcomers.offer(tinyContact(id), true);
  assert.deepEqual(pinged, []);
  await world.advanceAsync(500);
  assert.deepEqual(pinged, [1]);
  await world.advanceAsync(5000);
  assert.deepEqual(pinged, [1, 2]);
  assert.equal(world.pendingTimers(), 0, 'nothing runs while nobody waits');
  newcomers.offer(tinyContact(3), true);
  await world.advanceAsync(500);
  assert.deepEqual(pinged, [1, 2, 3]);
});

test('a crowd is not remembered, and who became known meanwhile is not asked', async () => {
  const { newcomers, pinged, world, known } = bench(2);
  known.add(9);
  for (const id of [9, 1, 2, 3, 4]) newcomers.offer(tinyContact(id), true);
  known.add(2);
  await world.advanceAsync(10_000);
  assert.deepEqual(pinged, [1]);
});

test('no network takes the places of all, nor do those whose address may be forged', async () => {
  const { newcomers, pinged, world } = bench(8);
  for (const id of [1, 2, 3, 4]) newcomers.offer(at(id, 20, 0, 0, id), true);
  for (const id of [5, 6, 7, 8]) newcomers.offer(at(id, 20, 0, id, 1), true);
  for (const id of [11, 12, 13]) newcomers.offer(at(id, id, 0, 0, 1), false);
  newcomers.offer(at(14, 14, 0, 0, 1), true);
  await world.advanceAsync(10_000);
  assert.deepEqual(pinged, [1, 2, 5, 6, 14]);
  for (const id of [21, 22, 23, 24, 25, 26]) newcomers.offer(at(id, id, 0, 0, 1), false);
  newcomers.offer(at(27, 27, 0, 0, 1), true);
  await world.advanceAsync(10_000);
  assert.deepEqual(pinged.slice(5), [21, 22, 23, 24, 27]);
});

test('stopping ends it at once', async () => {
  const { newcomers, pinged, world, controller } = bench();
  newcomers.offer(tinyContact(1), true);
  controller.abort();
  await newcomers.settled();
  newcomers.offer(tinyContact(2), true);
  await world.advanceAsync(10_000);
  assert.deepEqual(pinged, []);
  assert.equal(world.pendingTimers(), 0);
});
