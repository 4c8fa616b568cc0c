/** Nodes that go, leave, sleep and come back, as the others see them. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { DirectNet, type DirectNode } from '../../test/support/direct-net.ts';
import { sampleName } from '../../test/support/dht-samples.ts';

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

/** `count` nodes that know each other. */
async function networkOf(t: TestContext, count: number): Promise<[DirectNet, DirectNode[]]> {
  const net = new DirectNet();
  const nodes = Array.from({ length: count }, (_, i) => net.add(i + 1));
  t.after(() => Promise.all(nodes.map(({ dht }) => dht.stop())));
  for (const { dht } of nodes) await dht.start();
  const [first] = nodes;
  assert.ok(first);
  for (const { dht } of nodes.slice(1)) await dht.join([first.contact]);
  await net.world.advanceAsync(minuteMs);
  for (const { dht } of nodes) assert.equal(dht.table.size, count - 1);
  return [net, nodes];
}

function pick(nodes: readonly DirectNode[], index: number): DirectNode {
  const node = nodes[index];
  assert.ok(node);
  return node;
}

const leaving = new AbortController().signal;

test('who says that it leaves is out of all tables at once, and back when it asks again', async (t) => {
  const [net, nodes] = await networkOf(t, 6);
  const [gone, ...others] = nodes;
  assert.ok(gone);
  await gone.dht.leave({ signal: leaving });
  for (const { dht } of others) {
    assert.equal(dht.table.size, 4);
    assert.deepEqual(dht.lost(), [], 'nobody looks for it');
  }
  await gone.dht.join([pick(nodes, 1).contact]);
  await net.world.advanceAsync(5 * secondMs);
  for (const { dht } of others) assert.equal(dht.table.size, 5);
});

test('what few hold is handed over by who leaves', async (t) => {
  const net = new DirectNet();
  const [alone, late] = [net.add(1), net.add(2)];
  t.after(() => Promise.all([alone.dht.stop(), late.dht.stop()]));
  for (const { dht } of [alone, late]) await dht.start();
  const record = sampleName('alice');
  assert.equal((await alone.dht.store(record)).stored, 1);
  await late.dht.join([alone.contact]);
  assert.equal(late.dht.held().records, 0);
  // The newcomer waits in vain for its turn to be asked: there are two seconds of network in all.
  await net.world.advanceAsync(2 * secondMs);
  await alone.dht.leave({ signal: leaving });
  assert.equal(late.dht.held().records, 1);
});

test('half of a network that goes at once is out of the tables within a minute', async (t) => {
  const [net, nodes] = await networkOf(t, 16);
  for (const { contact } of nodes.slice(8)) net.remove(contact);
  await net.world.advanceAsync(minuteMs);
  for (const { dht } of nodes.slice(0, 8)) assert.equal(dht.table.size, 7);
});

test('those that went together are asked together when one of them is back', async (t) => {
  const [net, nodes] = await networkOf(t, 16);
  const far = nodes.slice(8);
  for (const { contact, dht } of far) {
    net.remove(contact);
    await dht.stop(); // they answer, but ask nobody
  }
  await net.world.advanceAsync(20 * minuteMs);
  for (const { contact } of far) net.restore(contact);
  // One of the lost is asked every half minute, so one after the other would take four.
  await net.world.advanceAsync(40 * secondMs);
  for (const { dht } of nodes.slice(0, 8)) assert.equal(dht.table.size, 15);
});

test('one that went alone comes back alone', async (t) => {
  const [net, nodes] = await networkOf(t, 8);
  const [first, second] = [pick(nodes, 6), pick(nodes, 7)];
  const here = nodes.slice(0, 6);
  for (const { contact, dht } of [first, second]) {
    await dht.stop();
    net.remove(contact);
    await net.world.advanceAsync(hourMs);
  }
  for (const { dht } of here) assert.equal(dht.lost().length, 2);
  net.restore(first.contact);
  net.log.length = 0;
  // It asks nobody itself here, and one of the two is asked every five minutes.
  await net.world.advanceAsync(12 * minuteMs);
  for (const { dht } of here) assert.equal(dht.table.size, 6);
  const gone = second.contact.endpoint.ip.at(-1);
  const looks = net.log.filter((line) => line === `ping → ${gone}`).length;
  assert.ok(looks <= 3 * here.length, 'nobody looks sooner whether the other is there too');
});

test('one that goes is out of a table of few within three minutes', async (t) => {
  const [net, nodes] = await networkOf(t, 10);
  await net.world.advanceAsync(3 * hourMs); // nothing changes any more, so little is looked up
  net.remove(pick(nodes, 9).contact);
  await net.world.advanceAsync(3 * minuteMs);
  for (const { dht } of nodes.slice(0, 9)) assert.equal(dht.table.size, 8);
});

test('a node that is cut off gives up its table within a minute, and asks few for a way back', async (t) => {
  const [net, nodes] = await networkOf(t, 24);
  const cut = pick(nodes, 23);
  for (const { contact, dht } of nodes.slice(0, 23)) {
    net.remove(contact);
    await dht.stop();
  }
  net.log.length = 0;
  await net.world.advanceAsync(minuteMs);
  assert.equal(cut.dht.table.size, 0);
  assert.equal(cut.dht.lost().length, 23);
  net.log.length = 0;
  await net.world.advanceAsync(8 * minuteMs);
  assert.ok(net.log.length < 200, `${net.log.length} requests in eight minutes`);
  for (const { contact } of nodes.slice(0, 23)) net.restore(contact);
  await net.world.advanceAsync(17 * secondMs);
  assert.equal(cut.dht.table.size, 23, 'all at once');
});

test('several that go while the others answer cost nobody the table', async (t) => {
  const [net, nodes] = await networkOf(t, 24);
  const [asker, ...others] = nodes;
  assert.ok(asker);
  for (const { dht } of others) await dht.stop(); // they answer, but ask nobody
  for (let left = 23; left > 11; left -= 6) {
    await net.world.advanceAsync(5 * minuteMs);
    for (const { contact } of others) await asker.dht.lookup(contact.id);
    for (const { contact } of others.slice(left - 6, left)) net.remove(contact);
    await asker.dht.lookup(pick(others, left - 1).contact.id);
    for (let i = 0; i < 30; i++) {
      await net.world.advanceAsync(secondMs);
      assert.ok(asker.dht.table.size >= left - 6, 'those that answered lately stay');
    }
    assert.equal(asker.dht.table.size, left - 6);
  }
});

test('who finds a way back asks all that it remembers, as they may not know each other', async (t) => {
  const net = new DirectNet();
  const [late, ...islands] = Array.from({ length: 13 }, (_, i) => net.add(i + 1));
  t.after(() => late?.dht.stop());
  assert.ok(late);
  for (const { dht, contact } of islands) {
    await dht.start();
    await dht.stop(); // it answers, but asks nobody
    net.remove(contact);
  }
  await late.dht.start();
  await late.dht.join(islands.map(({ contact }) => contact));
  await net.world.advanceAsync(minuteMs);
  assert.equal(late.dht.table.size, 0);
  for (const { contact } of islands) net.restore(contact);
  await net.world.advanceAsync(17 * secondMs);
  assert.equal(late.dht.table.size, 12);
});

test('a node that is cut off for seconds keeps its table', async (t) => {
  const [net, nodes] = await networkOf(t, 24);
  const cut = pick(nodes, 23);
  for (const { contact } of nodes.slice(0, 23)) net.remove(contact);
  cut.dht.wake();
  await net.world.advanceAsync(3 * secondMs);
  for (const { contact } of nodes.slice(0, 23)) net.restore(contact);
  await net.world.advanceAsync(10 * secondMs);
  assert.equal(cut.dht.table.size, 23);
  assert.deepEqual(cut.dht.lost(), []);
});

test('a node that was cut off asks ever less often, and is back soon after it can', async (t) => {
  const [net, nodes] = await networkOf(t, 8);
  const cut = pick(nodes, 7);
  for (const { contact, dht } of nodes.slice(0, 7)) {
    net.remove(contact);
    await dht.stop(); // so that the log has the requests of one node; it answers all the same
  }
  await net.world.advanceAsync(5 * minuteMs);
  assert.equal(cut.dht.table.size, 0);
  assert.equal(cut.dht.lost().length, 7);
  net.log.length = 0;
  await net.world.advanceAsync(hourMs);
  const attempts = net.log.length / 4;
  assert.ok(attempts > 100 && attempts < 160, `${attempts} attempts in an hour`);
  for (const { contact } of nodes.slice(0, 7)) net.restore(contact);
  await net.world.advanceAsync(40 * secondMs);
  assert.equal(cut.dht.table.size, 7);
});

test('a node that wakes up asks everybody at once', async (t) => {
  const [net, nodes] = await networkOf(t, 8);
  await net.world.advanceAsync(hourMs);
  const [sleeper, ...others] = nodes;
  assert.ok(sleeper);
  for (const { contact } of others.slice(3)) net.remove(contact);
  net.log.length = 0;
  sleeper.dht.wake();
  await net.world.advanceAsync(secondMs);
  assert.equal(sleeper.dht.table.size, 3);
  for (const { contact } of others) {
    assert.ok(net.log.includes(`ping → ${contact.endpoint.ip.at(-1)}`));
  }
});

test('a node alone that wakes up does not wait for its next attempt', async (t) => {
  const [net, nodes] = await networkOf(t, 4);
  const cut = pick(nodes, 3);
  const others = nodes.slice(0, 3);
  for (const { contact } of others) net.remove(contact);
  await net.world.advanceAsync(hourMs);
  for (const { contact } of others) net.restore(contact);
  cut.dht.wake();
  await net.world.advanceAsync(1);
  assert.equal(cut.dht.table.size, 3);
});

test('neighbours of one that leaves ask each other for what it held, and not again soon', async (t) => {
  const [net, nodes] = await networkOf(t, 6);
  await net.world.advanceAsync(20 * minuteMs);
  net.log.length = 0;
  await pick(nodes, 5).dht.leave({ signal: leaving });
  await pick(nodes, 5).dht.stop();
  await net.world.advanceAsync(2 * minuteMs);
  const syncs = (): number => net.log.filter((line) => line.startsWith('sync')).length;
  assert.equal(syncs(), 5 * 4, 'each asked each once');
  await pick(nodes, 4).dht.leave({ signal: leaving });
  await pick(nodes, 4).dht.stop();
  await net.world.advanceAsync(5 * minuteMs);
  assert.equal(syncs(), 5 * 4, 'they rest');
});
