import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleLink, sampleName, sampleNameTombstone } from '../../test/support/dht-samples.ts';
import { DirectNet, type DirectNode } from '../../test/support/direct-net.ts';
import { storeStatuses } from '../record/kinds.ts';

async function stopAll(nodes: readonly DirectNode[]): Promise<void> {
  await Promise.all(nodes.map(({ dht }) => dht.stop()));
}

test('what is denied is brought to nobody, its withdrawal is', async () => {
  const net = new DirectNet();
  const nodes = await net.start(3);
  const [first] = nodes;
  assert.ok(first);
  net.denies = ({ tombstone }) => (tombstone ? undefined : 'subject');
  net.log.length = 0;
  const name = sampleName('alice');
  const approach = first.dht.approach(name.key);
  for (const result of [await first.dht.store(name), await approach.place(name)]) {
    const refused = { status: storeStatuses.REVOKED, count: 1, conflicting: [] };
    assert.deepEqual([result.stored, result.refusals], [0, [refused]]);
  }
  assert.ok(!net.log.some((line) => line.startsWith('store')));
  const { stored } = await first.dht.store(sampleNameTombstone('alice', { seq: 2n }));
  assert.equal(stored, 3);
  await stopAll(nodes);
});

test('what is held goes as soon as it is denied, and comes back once it is allowed', async () => {
  const net = new DirectNet();
  const nodes = await net.start(3);
  const [first, second] = nodes;
  assert.ok(first && second);
  const link = sampleLink('ipfs://x');
  await first.dht.store(link);
  assert.equal(second.dht.held().records, 1);
  net.denies = () => 'target';
  for (const { dht } of nodes) dht.reconsider();
  await net.world.advanceAsync(1000);
  assert.deepEqual(
    nodes.map(({ dht }) => dht.held().records),
    [0, 0, 0],
  );
  net.denies = undefined;
  for (const { dht } of nodes) dht.reconsider();
  assert.equal((await first.dht.store(link)).stored, 3);
  await stopAll(nodes);
});
