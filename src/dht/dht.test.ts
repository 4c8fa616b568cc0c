import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DirectNet, type DirectNode } from '../../test/support/direct-net.ts';
import { sampleLink, sampleName, testNow, authorKey } from '../../test/support/dht-samples.ts';
import { equalBytes } from '../base/bytes.ts';
import { isAltNetError } from '../base/errors.ts';
import { recordKinds, storeStatuses } from '../record/kinds.ts';
import type { Gathered, GatherEnd } from './reading/gather.ts';

async function read(
  search: AsyncGenerator<Gathered, GatherEnd>,
): Promise<{ answers: Gathered[]; end: GatherEnd }> {
  const answers: Gathered[] = [];
  for (;;) {
    const step = await search.next();
    if (step.done === true) return { answers, end: step.value };
    answers.push(step.value);
  }
}

function hasTwo(soFar: readonly Gathered[]): boolean {
  return soFar.length >= 2;
}

async function stopAll(nodes: readonly DirectNode[]): Promise<void> {
  await Promise.all(nodes.map(({ dht }) => dht.stop()));
}

test('nodes that join through one of them know each other', async () => {
  const net = new DirectNet();
  const nodes = await net.start(8);
  for (const { dht } of nodes) assert.equal(dht.table.size, 7);
  assert.equal(nodes[0]?.dht.networkSize(), 8);
  await stopAll(nodes);
});

test('how dense the nodes stand around the keys of records says nothing of their number', async () => {
  const net = new DirectNet();
  const nodes = await net.start(8, { k: 1 });
  const [asker, ...others] = nodes;
  assert.ok(asker);
  const before = asker.dht.networkSize();
  // Nearer than any other node can be, as those are who crowd a key.
  for (const { contact } of others) await read(asker.dht.gather(contact.id, { reach: 'whole' }));
  assert.equal(asker.dht.networkSize(), before);
  await stopAll(nodes);
});

test('after stop nothing is left: no timer, no request, no upkeep', async () => {
  const net = new DirectNet();
  const nodes = await net.start(4);
  await stopAll(nodes);
  assert.equal(net.world.pendingTimers(), 0);
  net.log.length = 0;
  await net.world.advanceAsync(3_600_000);
  assert.deepEqual(net.log, []);
  await stopAll(nodes);
  const [first] = nodes;
  assert.ok(first);
  await assert.rejects(first.dht.start(), (error) => isAltNetError(error, 'ABORTED'));
  await assert.rejects(first.dht.lookup(first.contact.id), (error) =>
    isAltNetError(error, 'ABORTED'),
  );
});

test('stop ends a lookup that waits for an answer', async () => {
  const net = new DirectNet();
  const nodes = await net.start(3);
  const [first, second, third] = nodes;
  assert.ok(first && second && third);
  net.silent.add(second.contact).add(third.contact);
  const lookup = first.dht.lookup(second.contact.id);
  const stopped = assert.rejects(lookup, (error) => isAltNetError(error, 'ABORTED'));
  await first.dht.stop();
  await stopped;
  await stopAll(nodes);
  assert.equal(net.world.pendingTimers(), 0);
});

test("a caller's signal ends its own lookup and no other", async () => {
  const net = new DirectNet();
  const nodes = await net.start(3);
  const [first, second] = nodes;
  assert.ok(first && second);
  net.silent.add(second.contact);
  const controller = new AbortController();
  const mine = first.dht.lookup(second.contact.id, { signal: controller.signal });
  controller.abort(new Error('enough'));
  await assert.rejects(mine, /enough/);
  await assert.rejects(
    first.dht.lookup(second.contact.id, { signal: controller.signal }),
    /enough/,
  );
  net.silent.clear();
  assert.equal((await first.dht.lookup(second.contact.id)).closest.length, 2);
  await stopAll(nodes);
});

test('a record is stored at the nearest, the storing node among them, and found by all', async () => {
  const net = new DirectNet();
  const nodes = await net.start(6);
  const [first] = nodes;
  assert.ok(first);
  const record = sampleName('alice');
  const result = await first.dht.store(record);
  assert.deepEqual([result.stored, result.asked, result.refusals], [6, 6, []]);
  assert.equal(result.holders.length, 5, 'this node has no contact of itself');
  for (const { dht } of nodes) {
    const { answers, end } = await read(dht.gather(record.key, { kind: recordKinds.name }));
    assert.equal(answers[0]?.from, 'self');
    assert.equal(answers.length, 6);
    assert.ok(
      answers.every(({ records: [found] }) => found && equalBytes(found.hash, record.hash)),
    );
    assert.deepEqual([end.asked, end.answered, end.closest.length], [6, 6, 5]);
  }
  assert.equal(first.dht.held().records, 1);
  await stopAll(nodes);
});

test('a client finds and stores, but holds nothing and enters no table', async () => {
  const net = new DirectNet();
  const nodes = await net.start(4);
  const client = net.add(99, { server: false });
  await client.dht.start();
  assert.equal(await client.dht.join(nodes.map(({ contact }) => contact)), 4);
  const record = sampleName('alice');
  const { stored, asked } = await client.dht.store(record);
  assert.deepEqual([stored, asked], [4, 4]);
  assert.equal(client.records.list(record.key).length, 0);
  const { answers, end } = await read(client.dht.gather(record.key));
  assert.deepEqual([answers.length, end.answered], [4, 4], 'it does not count itself');
  await net.world.advanceAsync(60_000);
  const known = nodes.flatMap(({ dht }) => dht.table.contacts());
  assert.ok(!known.some(({ id }) => equalBytes(id, client.contact.id)));

  const [server] = nodes;
  assert.ok(server);
  const requester = { contact: server.contact, server: true, addressProven: true };
  const reply = await client.dht.handle(requester, { method: 'store', record: record.bytes });
  assert.ok(reply?.method === 'store' && reply.status === storeStatuses.METHOD);
  await stopAll([...nodes, client]);
});

test('whoever has enough ends the search, and its requests', async () => {
  const net = new DirectNet();
  const nodes = await net.start(6);
  const [first, ...others] = nodes;
  assert.ok(first);
  const record = sampleName('alice');
  await first.dht.store(record);
  for (const { contact } of others.slice(0, 3)) net.silent.add(contact);
  const { answers, end } = await read(first.dht.gather(record.key, { enough: hasTwo }));
  assert.equal(answers.length, 2);
  assert.deepEqual(end.closest, [], 'the nearest are not known');
  for await (const { from } of first.dht.gather(record.key)) if (from !== 'self') break;
  await stopAll(nodes);
  assert.equal(net.world.pendingTimers(), 0);
});

test('all pages of all links are read, and only what is right is handed on', async () => {
  const net = new DirectNet();
  const nodes = await net.start(3);
  const [first, second] = nodes;
  assert.ok(first && second);
  const links = Array.from({ length: 20 }, (_, i) =>
    sampleLink('https://a.example/', { by: authorKey(i) }),
  );
  const [link] = links;
  assert.ok(link);
  for (const record of links) await second.dht.store(record);
  // A holder that is not honest keeps what it should not have.
  const [slot, stored] = [Uint8Array.of(1), second.records.list(link.key)[0]];
  assert.ok(stored);
  const forged = { ...link, bytes: link.bytes.slice().fill(0, -64), hash: new Uint8Array(32) };
  await second.records.put(slot, { ...stored, record: forged });

  const { answers } = await read(first.dht.gather(link.key));
  assert.equal(answers.length, 3);
  assert.ok(answers.every(({ records }) => records.length === 20));
  const digests = await read(first.dht.gather(link.key, { mode: 'digest' }));
  assert.ok(
    digests.answers.every(({ records, digests: all }) => records.length === 0 && all.length >= 20),
  );
  const newer = await read(first.dht.gather(link.key, { minSeq: 2n }));
  assert.ok(newer.answers.every(({ records }) => records.length === 0));
  await stopAll(nodes);
});

test('expired names are found only by who asks for reserved ones', async () => {
  const net = new DirectNet();
  const nodes = await net.start(3);
  const [first] = nodes;
  assert.ok(first);
  const record = sampleName('alice', { expires: testNow + 3600 });
  await first.dht.store(record);
  net.world.advance(2 * 3_600_000);
  const held = async (reserved: boolean): Promise<number> => {
    const { answers } = await read(first.dht.gather(record.key, { reserved }));
    return answers.filter(({ records }) => records.length > 0).length;
  };
  assert.equal(await held(false), 0);
  assert.equal(await held(true), 3);
  await stopAll(nodes);
});

test('a contact goes only to who can use it', async () => {
  const net = new DirectNet();
  const nodes = await net.start(3);
  const [first, second] = nodes;
  assert.ok(first && second);
  const target = second.contact.id;
  const ask = async (ip: readonly number[]): Promise<number> => {
    const contact = { ...second.contact, endpoint: { ip: Uint8Array.from(ip), port: 9000 } };
    const requester = { contact, server: false, addressProven: true };
    const reply = await first.dht.handle(requester, { method: 'find', target });
    assert.ok(reply?.method === 'find');
    return reply.contacts.length;
  };
  assert.equal(await ask([10, 9, 9, 9]), 1, 'all but the asker');
  assert.equal(await ask([8, 8, 8, 8]), 0);
  assert.equal(await ask([127, 0, 0, 1]), 0);
  await stopAll(nodes);
});

test('STORE needs a proven address; what is refused is counted', async () => {
  const net = new DirectNet();
  const nodes = await net.start(2);
  const [first, second] = nodes;
  assert.ok(first && second);
  const requester = { contact: second.contact, server: true, addressProven: false };
  const { bytes } = sampleName('alice');
  const reply = await first.dht.handle(requester, { method: 'store', record: bytes });
  assert.ok(reply?.method === 'store' && reply.status === storeStatuses.BAD_TOKEN);
  assert.deepEqual(first.dht.counters().refused, { BAD_TOKEN: 1 });
  const pong = await first.dht.handle(requester, { method: 'ping' });
  assert.deepEqual(pong, { method: 'ping', contactRecord: Uint8Array.of(1) });
  await stopAll(nodes);
});

test('a store that cannot write is no answer, and no crash', async () => {
  const net = new DirectNet();
  const nodes = await net.start(2);
  const [first, second] = nodes;
  assert.ok(first && second);
  second.records.put = () => Promise.reject(new Error('disk full'));
  const { stored, asked, refusals } = await first.dht.store(sampleName('alice'));
  assert.deepEqual([stored, asked, refusals], [1, 2, []]);
  await stopAll(nodes);
});

test('nodes that are gone leave the table, and the seeds bring a lonely node back', async () => {
  const net = new DirectNet();
  const nodes = await net.start(3);
  const [first, second, third] = nodes;
  assert.ok(first && second && third);
  net.silent.clear();
  for (const { contact } of [first, second]) net.remove(contact);
  await net.world.advanceAsync(300_000);
  assert.equal(third.dht.table.size, 0);
  assert.ok(Object.keys(third.dht.counters().unanswered).length > 0);
  const back = net.add(1);
  await back.dht.start();
  await net.world.advanceAsync(120_000);
  assert.equal(third.dht.table.size, 1);
  await stopAll([...nodes, back]);
});

test('a seed that has moved is met where it is now', async () => {
  const net = new DirectNet();
  const [seed] = await net.start(1);
  assert.ok(seed);
  const newcomer = net.add(7);
  await newcomer.dht.start();
  const { contact } = seed;
  const before = { ...contact, endpoint: { ...contact.endpoint, port: 9001 } };
  assert.equal(await newcomer.dht.join([before]), 0);
  assert.equal(await newcomer.dht.join([contact]), 1);
  await stopAll([seed, newcomer]);
});
