import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DirectNet, type DirectNode } from '../../test/support/direct-net.ts';
import { sampleName } from '../../test/support/dht-samples.ts';
import { isAltNetError } from '../base/errors.ts';

/** Nodes 1 … count, which know each other. */
async function started(
  net: DirectNet,
  count: number,
): Promise<{ first: DirectNode; nodes: DirectNode[]; stop: () => Promise<unknown> }> {
  const nodes = await net.start(count);
  const [first] = nodes;
  assert.ok(first);
  net.log.length = 0;
  return { first, nodes, stop: () => Promise.all(nodes.map(({ dht }) => dht.stop())) };
}

test('those who should hold a record are found before there is one', async () => {
  const net = new DirectNet();
  const { first, stop } = await started(net, 5);
  const record = sampleName('alice');
  const approach = first.dht.approach(record.key);
  await net.world.advanceAsync(0);
  assert.deepEqual(
    net.log.filter((line) => line.startsWith('store')),
    [],
  );
  assert.ok(net.log.some((line) => line.startsWith('find')));
  const { stored } = await approach.place(record);
  assert.equal(stored, 5);
  await stop();
  assert.equal(net.world.pendingTimers(), 0);
});

test('an approach that is abandoned asks nobody any more and stores nothing', async () => {
  const net = new DirectNet();
  const { first, nodes, stop } = await started(net, 5);
  for (const { contact } of nodes) net.silent.add(contact);
  const approach = first.dht.approach(sampleName('alice').key);
  approach.abandon();
  await net.world.advanceAsync(10_000);
  const afterwards = approach.place(sampleName('alice'));
  await assert.rejects(afterwards, (error) => isAltNetError(error, 'ABORTED'));
  assert.ok(net.log.every((line) => !line.startsWith('store')));
  assert.equal(first.dht.held().records, 0);
  await stop();
});

test("a caller's signal ends an approach, also while its record is in the making", async () => {
  const net = new DirectNet();
  const { first, stop } = await started(net, 3);
  const controller = new AbortController();
  const record = sampleName('alice');
  const approach = first.dht.approach(record.key, { signal: controller.signal });
  await net.world.advanceAsync(0);
  controller.abort(new Error('enough'));
  await assert.rejects(approach.place(record), /enough/);
  await stop();
});

test('who is slow still gets the record after the result, whatever becomes of the signal', async () => {
  const net = new DirectNet();
  const { first, nodes, stop } = await started(net, 12);
  const slow = nodes.at(-1);
  assert.ok(slow);
  net.silent.add(slow.contact);
  const controller = new AbortController();
  const record = sampleName('alice');
  const storing = first.dht.store(record, { signal: controller.signal });
  await net.world.advanceAsync(5000);
  assert.equal((await storing).stored, 11);
  const offered = net.ended.filter((line) => line.startsWith('store'));
  controller.abort(new Error('the caller has gone'));
  assert.deepEqual(
    net.ended.filter((line) => line.startsWith('store')),
    offered,
    'nothing was given up for the caller’s sake',
  );
  await stop();
});
