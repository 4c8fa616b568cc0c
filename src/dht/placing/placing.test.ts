import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DirectNet } from '../../../test/support/direct-net.ts';
import { sampleName } from '../../../test/support/dht-samples.ts';
import { isAltNetError } from '../../base/errors.ts';

const record = sampleName('alice');

test('who answered lately is offered the record with the first question, everybody once', async () => {
  const net = new DirectNet();
  const nodes = await net.start(6);
  net.log.length = 0;
  const { stored } = (await nodes[0]?.dht.store(record)) ?? {};
  assert.equal(stored, 6);
  const stores = net.log.filter((line) => line.startsWith('store'));
  assert.equal(new Set(stores).size, 5);
  assert.equal(stores.length, 5, 'and itself without a request');
  await Promise.all(nodes.map(({ dht }) => dht.stop()));
});

test('one that is silent does not hold up a put for long', async () => {
  const net = new DirectNet();
  const nodes = await net.start(6);
  const [first, second] = nodes;
  assert.ok(first && second);
  net.silent.add(second.contact);
  const storing = first.dht.store(record);
  await net.world.advanceAsync(1500);
  assert.deepEqual([(await storing).stored, (await storing).asked], [5, 6]);
  await Promise.all(nodes.map(({ dht }) => dht.stop()));
  assert.equal(net.world.pendingTimers(), 0);
});

test('given targets are offered it without a lookup', async () => {
  const net = new DirectNet();
  const nodes = await net.start(6);
  const [first, second, third] = nodes;
  assert.ok(first && second && third);
  net.log.length = 0;
  const targets = [second.contact, third.contact];
  const { asked, holders } = await first.dht.store(record, { targets });
  assert.deepEqual([asked, holders.length], [3, 2], 'and this node, as it is near');
  assert.ok(net.log.every((line) => line.startsWith('store')));
  await Promise.all(nodes.map(({ dht }) => dht.stop()));
});

test('who gives up gets the reason', async () => {
  const net = new DirectNet();
  const nodes = await net.start(3);
  const [first, ...others] = nodes;
  assert.ok(first);
  for (const { contact } of others) net.silent.add(contact);
  const controller = new AbortController();
  const storing = assert.rejects(
    first.dht.store(record, { signal: controller.signal }),
    /changed my mind/,
  );
  await net.world.advanceAsync(0);
  controller.abort(new Error('changed my mind'));
  await storing;
  const stopped = assert.rejects(first.dht.store(record), (error) =>
    isAltNetError(error, 'ABORTED'),
  );
  await net.world.advanceAsync(0);
  await Promise.all(nodes.map(({ dht }) => dht.stop()));
  await stopped;
  assert.equal(net.world.pendingTimers(), 0);
});
