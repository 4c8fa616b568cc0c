import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lacked, WantQueue } from './want-queue.ts';
import type { Want } from '../dag/walk.ts';

function want(codec: 'raw' | 'dag-pb', id: number): Want {
  const link = { codec, hash: new Uint8Array(32).fill(id) };
  return { link, level: 0, path: [], scope: 'block', bytesSaid: 100 };
}

const mixed = [want('raw', 1), want('dag-pb', 2), want('raw', 3), want('dag-pb', 4)];

function drain(queue: WantQueue): (number | undefined)[] {
  const ids: (number | undefined)[] = [];
  for (let one = queue.take(() => true); one; one = queue.take(() => true)) {
    ids.push(one.link.hash[0]);
  }
  return ids;
}

test('nodes go before leaves, unless somebody reads in order', () => {
  for (const [isOrdered, ids] of [
    [false, [2, 4, 1, 3]],
    [true, [1, 2, 3, 4]],
  ] as const) {
    const queue = new WantQueue({ isOrdered });
    for (const one of mixed) queue.add(one);
    assert.equal(queue.length, 4);
    assert.equal(queue.bytesSaid, 400);
    assert.equal(queue.peek(() => true)?.link.hash[0], ids[0]);
    assert.deepEqual(drain(queue), ids);
    assert.equal(queue.length, 0);
    assert.equal(queue.bytesSaid, 0);
  }
});

test('what a peer lacks stays for the others', () => {
  const queue = new WantQueue({ isOrdered: true });
  for (const one of mixed) queue.add(one);
  const lacked = new Lacked();
  assert.ok(lacked.isEmpty);
  lacked.add(new Uint8Array(32).fill(1));
  const taken = queue.take((hash) => !lacked.has(hash));
  assert.equal(taken?.link.hash[0], 2);
  assert.deepEqual(drain(queue), [1, 3, 4]);
  queue.add(want('raw', 9));
  queue.clear();
  assert.equal(
    queue.take(() => true),
    undefined,
  );
});

test('who lacks ever more is not remembered without end', () => {
  const lacked = new Lacked();
  for (let i = 0; i < 5000; i++) {
    const hash = Buffer.alloc(32);
    hash.writeUInt32BE(i);
    lacked.add(hash);
  }
  assert.ok(lacked.isFull);
});
