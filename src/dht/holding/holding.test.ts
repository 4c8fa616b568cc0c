import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { DirectNet, type DirectNode } from '../../../test/support/direct-net.ts';
import {
  authorKey,
  sampleLink,
  sampleName,
  sampleProvider,
} from '../../../test/support/dht-samples.ts';
import { equalBytes } from '../../base/bytes.ts';
import type { SignedRecord } from '../../record/envelope.ts';
import type { DhtOptions } from '../dht.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

async function start(t: TestContext, node: DirectNode): Promise<DirectNode> {
  await node.dht.start();
  t.after(() => node.dht.stop());
  return node;
}

interface Settings {
  readonly options?: Partial<DhtOptions>;
  /** What node n, from 0 on, has from an earlier run. */
  readonly left?: (n: number) => SignedRecord;
}

/** `count` nodes that know each other. */
async function network(
  t: TestContext,
  count: number,
  { options = {}, left }: Settings = {},
): Promise<{ net: DirectNet; nodes: DirectNode[] }> {
  const net = new DirectNet();
  const nodes = Array.from({ length: count }, (_, i) => net.add(i + 1, { options }));
  const nowMs = net.world.clock.unixMs();
  const since = { heldSinceMs: nowMs, refreshedMs: nowMs, provisional: false, source: '' };
  for (const [n, node] of nodes.entries()) {
    if (left) await node.records.put(Uint8Array.of(1), { ...since, record: left(n) });
    await start(t, node);
    await node.dht.join(nodes.slice(0, n).map(({ contact }) => contact));
  }
  await net.world.advanceAsync(minuteMs);
  return { net, nodes };
}

function stateOf({ records }: DirectNode, record: SignedRecord): string {
  const [held] = records.list(record.key);
  if (!held) return 'nothing';
  const whose = equalBytes(held.record.author, record.author) ? 'ours' : 'theirs';
  return `${whose}, ${held.provisional ? 'provisional' : 'confirmed'}`;
}

test('in a network of three a name is provisional for an hour, then confirmed everywhere', async (t) => {
  const { net, nodes } = await network(t, 3);
  const name = sampleName('alice');
  const result = await nodes[0]?.dht.store(name);
  assert.deepEqual([result?.stored, result?.provisional], [3, 3]);
  await net.world.advanceAsync(50 * minuteMs);
  for (const node of nodes) assert.equal(stateOf(node, name), 'ours, provisional');
  await net.world.advanceAsync(15 * minuteMs);
  for (const node of nodes) assert.equal(stateOf(node, name), 'ours, confirmed');
});

test('who joins is handed what it should hold, and confirmed what the others confirm', async (t) => {
  const { net, nodes } = await network(t, 4, { options: { confirmAfterMs: minuteMs } });
  const [first] = nodes;
  assert.ok(first);
  const name = sampleName('alice');
  const records = [name, sampleLink('https://a.example/'), sampleProvider(1)];
  for (const record of records) await first.dht.store(record);
  await net.world.advanceAsync(5 * minuteMs);
  // An hour of its own would be long: it is the others' word that counts.
  const joiner = await start(t, net.add(9, { options: { confirmAfterMs: 100 * hourMs } }));
  await joiner.dht.join([first.contact]);
  await net.world.advanceAsync(2 * minuteMs);
  assert.equal(joiner.dht.held().records, 3);
  assert.equal(stateOf(joiner, name), 'ours, confirmed');
});

test('who joins and is told of another owner first gives way to what the others hold', async (t) => {
  const { net, nodes } = await network(t, 5, { options: { confirmAfterMs: minuteMs } });
  const [first] = nodes;
  assert.ok(first);
  const name = sampleName('alice');
  await first.dht.store(name);
  await net.world.advanceAsync(5 * minuteMs);
  const joiner = await start(t, net.add(9));
  await joiner.dht.join([first.contact]);
  const stolen = sampleName('alice', { by: authorKey(2) });
  const rival = await first.dht.store(stolen, { targets: [joiner.contact] });
  assert.equal(rival.stored, 1, 'nothing was known there yet');
  await net.world.advanceAsync(10 * minuteMs);
  assert.equal(stateOf(joiner, name), 'ours, confirmed');
});

test('a name that two hold differently goes to whom most hold it for, a day later', async (t) => {
  const name = sampleName('alice');
  const other = sampleName('alice', { by: authorKey(2) });
  const { net, nodes } = await network(t, 5, {
    options: { settleAfterMs: hourMs },
    left: (n) => (n < 2 ? other : name),
  });
  await net.world.advanceAsync(50 * minuteMs);
  assert.deepEqual(nodes.map((node) => stateOf(node, name)).filter(isTheirs).length, 2);
  await net.world.advanceAsync(30 * minuteMs);
  assert.deepEqual(nodes.map((node) => stateOf(node, name)).filter(isTheirs).length, 0);
});

test('where two hold it for each of two, nobody gives way', async (t) => {
  const name = sampleName('alice');
  const other = sampleName('alice', { by: authorKey(2) });
  const { net, nodes } = await network(t, 4, {
    options: { settleAfterMs: hourMs },
    left: (n) => (n < 2 ? other : name),
  });
  await net.world.advanceAsync(3 * hourMs);
  assert.deepEqual(nodes.map((node) => stateOf(node, name)).filter(isTheirs).length, 2);
});

function isTheirs(state: string): boolean {
  return state === 'theirs, confirmed';
}

test('a client is handed nothing, and asks for nothing', async (t) => {
  const { net, nodes } = await network(t, 3);
  const [first] = nodes;
  assert.ok(first);
  await first.dht.store(sampleLink('https://a.example/'));
  const client = await start(t, net.add(9, { server: false }));
  await client.dht.join([first.contact]);
  net.log.length = 0;
  await net.world.advanceAsync(2 * hourMs);
  assert.equal(client.dht.held().records, 0);
  assert.ok(net.log.some((line) => line.startsWith('sync')));
});

test('stopping ends all of it', async (t) => {
  const { net, nodes } = await network(t, 2);
  await nodes[0]?.dht.store(sampleName('alice'));
  await net.world.advanceAsync(1000);
  await Promise.all(nodes.map(({ dht }) => dht.stop()));
  assert.equal(net.world.pendingTimers(), 0);
});

test('a disk that cannot be read at the start is read later, and then all is counted once', async (t) => {
  const net = new DirectNet();
  const node = net.add(1);
  const nowMs = net.world.clock.unixMs();
  const since = { heldSinceMs: nowMs, refreshedMs: nowMs, provisional: false, source: '' };
  for (const record of [sampleName('alice'), sampleName('bob')]) {
    await node.records.put(Uint8Array.of(1), { ...since, record });
  }
  const list = node.records.list.bind(node.records);
  let reads = 0;
  node.records.list = (key) => {
    if (++reads % 2 === 0 && reads <= 6) throw new Error('cannot read');
    return list(key);
  };
  await start(t, node);
  await net.world.advanceAsync(500);
  assert.equal((await node.dht.store(sampleLink('https://a.example/'))).stored, 0);
  await net.world.advanceAsync(minuteMs);
  assert.equal(node.dht.held().records, 2);
  assert.equal((await node.dht.store(sampleLink('https://a.example/'))).stored, 1);
});
