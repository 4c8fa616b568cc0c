import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../../test/support/manual-world.ts';
import { MemoryNotes } from '../../test/support/memory-notes.ts';
import { holdersOf, intervalMs, keepNet, makeSite } from '../../test/support/keep-net.ts';
import { requireLink } from './dag/root.ts';
import { Unpublished } from './unpublished.ts';

const weekMs = 7 * 86_400_000;

function hashOf(number: number): Uint8Array {
  const hash = Buffer.alloc(32);
  hash.writeUInt32BE(number);
  return hash;
}

test('what was taken back is known for a week, or until it is published again', async () => {
  const notes = new MemoryNotes();
  const world = manualWorld();
  const before = new Unpublished(notes, world.clock);
  await before.add(hashOf(1));
  await before.add(hashOf(2));
  const after = new Unpublished(notes, world.clock);
  assert.deepEqual(
    [1, 2, 3].map((n) => after.has(hashOf(n))),
    [true, true, false],
  );
  await after.forget(hashOf(2));
  assert.equal(after.has(hashOf(2)), false);
  world.advance(weekMs);
  assert.equal(after.has(hashOf(1)), false);
  await after.add(hashOf(4));
  assert.equal(notes.list('').length, 1, 'what is over is dropped');
});

test('there is an end to it: the oldest go', async () => {
  const notes = new MemoryNotes();
  const world = manualWorld();
  const unpublished = new Unpublished(notes, world.clock);
  for (let number = 0; number < 1025; number++) {
    await unpublished.add(hashOf(number));
    world.advance(1);
  }
  assert.equal(notes.list('').length, 1024);
  assert.deepEqual(
    [0, 1, 1024].map((n) => unpublished.has(hashOf(n))),
    [false, true, true],
  );
});

test('nobody brings back what this node unpublished, until it publishes it again', async (t) => {
  const net = keepNet(t);
  const notes = new MemoryNotes();
  const publisher = await net.start({ replicas: 3 }, { notes });
  const keepers = await net.startAll(2, { replicas: 3 });
  const folder = await makeSite(t);
  const { root } = await publisher.sites.publish(folder);
  const { hash } = requireLink(root);
  assert.equal(holdersOf(keepers, hash).length, 2);
  await publisher.sites.unpublish(root);
  await net.pass(3 * intervalMs);
  assert.equal(holdersOf([publisher], hash).length, 0);
  await publisher.sites.publish(folder);
  assert.equal(publisher.holdings.get(hash)?.kind, 'own');
  assert.equal(new Unpublished(notes, net.world.clock).has(hash), false);
});
