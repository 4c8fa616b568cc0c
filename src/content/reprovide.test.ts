import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../../test/support/manual-world.ts';
import type { HeldRoot } from './ports.ts';
import { announceAll, AnnouncingTempo, inOrderOfNeed } from './reprovide.ts';

function held(number: number, how: Partial<HeldRoot> = {}): HeldRoot {
  return {
    hash: new Uint8Array(32).fill(number),
    codec: 'dag-pb',
    kind: 'own',
    complete: true,
    files: 1,
    bytes: 1,
    addedMs: 0,
    usedMs: number,
    keep: false,
    ...how,
  };
}

const numbers = (all: readonly HeldRoot[]): (number | undefined)[] =>
  all.map(({ hash }) => hash[0]);

test('own roots come first, earlier versions last, and those used last before others', () => {
  const all = [
    held(9, { supersededMs: 1 }),
    held(8, { kind: 'visited' }),
    held(1),
    held(7, { kind: 'replica' }),
    held(6, { complete: false }),
    held(2),
  ];
  assert.deepEqual(numbers(inOrderOfNeed(all)), [2, 1, 8, 7, 9]);
});

test('ever more are announced at a time, up to four, and a failure ends it', async () => {
  const all = Array.from({ length: 100 }, (_, i) => held(i));
  const { timers } = manualWorld();
  let [running, most] = [0, 0];
  const said: number[] = [];
  const announce = async ({ usedMs }: HeldRoot): Promise<number> => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    said.push(usedMs);
    running--;
    return 20;
  };
  await announceAll(all, announce, { timers, signal: undefined });
  assert.deepEqual([said.length, most], [100, 4]);

  let begun = 0;
  const failing = announceAll(
    all,
    async () => {
      if (++begun === 50) throw new Error('the disk is full');
      return 20;
    },
    { timers, signal: undefined },
  );
  await assert.rejects(failing, /the disk is full/);
  assert.ok(begun < 54);
});

test('other addresses end it, also in a pause', async () => {
  const world = manualWorld();
  const stop = new AbortController();
  const taken = [20, 0, 0];
  const stopping = announceAll(
    Array.from({ length: 100 }, (_, i) => held(i)),
    async () => taken.shift() ?? assert.fail('it went on'),
    { timers: world.timers, signal: stop.signal },
  );
  const ended = assert.rejects(stopping, /other addresses/);
  await world.advanceAsync(50);
  assert.equal(taken.length, 0);
  stop.abort(new Error('other addresses'));
  await ended;
});

test('where storers do not take all, one goes after the other, ever further apart', () => {
  const tempo = new AnnouncingTempo();
  const took = (...stored: number[]): [number, number] => {
    for (const one of stored) tempo.took(one);
    return [tempo.atOnce, tempo.pauseMs];
  };
  const good = Array<number>(4).fill(20);
  assert.deepEqual(took(...good, ...good, ...good, ...good, ...good), [4, 0]);
  assert.deepEqual(took(5), [4, 0]);
  assert.deepEqual(took(4), [1, 50]);
  assert.deepEqual(took(0, 0, 0, 0, 0, 0), [1, 400]);
  assert.deepEqual(took(...good), [1, 200]);
  assert.deepEqual(took(...good, ...good, ...good), [1, 0]);
  assert.deepEqual(took(...good), [2, 0]);
});
