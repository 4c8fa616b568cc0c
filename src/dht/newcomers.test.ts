import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../../test/support/manual-world.ts';
import { tinyContact } from '../../test/support/tiny-contact.ts';
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

test('each is asked once, one at a time', async () => {
  const { newcomers, pinged, world } = bench();
  for (const id of [1, 2, 1, 1]) newcomers.offer(tinyContact(id));
  assert.deepEqual(pinged, []);
  await world.advanceAsync(500);
  assert.deepEqual(pinged, [1]);
  await world.advanceAsync(5000);
  assert.deepEqual(pinged, [1, 2]);
  assert.equal(world.pendingTimers(), 0, 'nothing runs while nobody waits');
  newcomers.offer(tinyContact(3));
  await world.advanceAsync(500);
  assert.deepEqual(pinged, [1, 2, 3]);
});

test('a crowd is not remembered, and who became known meanwhile is not asked', async () => {
  const { newcomers, pinged, world, known } = bench(2);
  known.add(9);
  for (const id of [9, 1, 2, 3, 4]) newcomers.offer(tinyContact(id));
  known.add(2);
  await world.advanceAsync(10_000);
  assert.deepEqual(pinged, [1]);
});

test('stopping ends it at once', async () => {
  const { newcomers, pinged, world, controller } = bench();
  newcomers.offer(tinyContact(1));
  controller.abort();
  await newcomers.settled();
  newcomers.offer(tinyContact(2));
  await world.advanceAsync(10_000);
  assert.deepEqual(pinged, []);
  assert.equal(world.pendingTimers(), 0);
});
