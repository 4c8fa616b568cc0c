import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HeldRoot } from './ports.ts';
import { announceAll, inOrderOfNeed } from './reprovide.ts';

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

test('a few are announced at the same time, and a failure or a change of mind ends it', async () => {
  const all = Array.from({ length: 100 }, (_, i) => held(i));
  let [running, most] = [0, 0];
  const said: number[] = [];
  const announce = async ({ usedMs }: HeldRoot): Promise<void> => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    said.push(usedMs);
    running--;
  };
  await announceAll(all, announce, undefined);
  assert.deepEqual([said.length, most], [100, 4]);

  const stop = new AbortController();
  let begun = 0;
  const stopping = announceAll(
    all,
    async () => {
      if (++begun === 10) stop.abort(new Error('other addresses'));
    },
    stop.signal,
  );
  await assert.rejects(stopping, /other addresses/);
  assert.ok(begun < 15);
});
