import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReplayRing } from './replay.ts';

const ephemeral = (n: number): Uint8Array => new Uint8Array(32).fill(n);

test('the ring knows the last keys, by their first 8 bytes, and forgets the oldest', () => {
  const ring = new ReplayRing(3);
  for (const n of [1, 2, 3]) ring.add(ephemeral(n));
  assert.deepEqual(
    [0, 1, 2, 3].map((n) => ring.has(ephemeral(n))),
    [false, true, true, true],
  );
  const sameStart = ephemeral(2);
  sameStart[8] = 99;
  assert.ok(ring.has(sameStart));
  ring.add(ephemeral(4));
  assert.ok(!ring.has(ephemeral(1)));
  ring.add(ephemeral(4));
  assert.ok(ring.has(ephemeral(2)), 'adding again pushes nobody out');
});
