import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  replies,
  requests,
  startNat,
  startNode,
  startPair,
  startRelay,
  testKey,
  toyHandler,
  until,
} from '../../test/support/udp.ts';
import { systemWorld } from '../base/clock.ts';
import { isAltNetError } from '../base/errors.ts';
import { silentLogger } from '../base/logger.ts';
import { contactOf } from '../identity/contact.ts';
import { UdpTransport } from './transport.ts';

const { ping, find, get, store } = requests;

for (const host of ['127.0.0.1', '::1']) {
  test(`every method makes its round trip on ${host}`, async (t) => {
    const [client, server, asked] = await startPair(t, host);
    const call = client.transport.call.bind(client.transport);

    const pinged = await client.transport.call(server.contact, ping);
    assert.equal(pinged.reply.contactRecord, undefined, 'not before the address is proven');
    assert.deepEqual(pinged.info.observed, client.contact.endpoint);
    assert.equal(pinged.info.server, true);
    assert.ok(pinged.info.unixTime > 1_700_000_000 && pinged.info.rttMs >= 0);

    // Contacts of a family that the asker cannot reach are left out.
    const contacts = host === '::1' ? [] : undefined;
    const found = await client.transport.call(server.contact, find);
    assert.deepEqual(found.reply, { ...replies.find, contacts: contacts ?? replies.find.contacts });
    const got = await client.transport.call(server.contact, get);
    assert.deepEqual(got.reply, { ...replies.get, contacts: contacts ?? replies.get.contacts });
    const stored = await call(server.contact, store);
    assert.deepEqual(stored.reply, replies.store);
    const again = await client.transport.call(server.contact, ping);
    assert.deepEqual(again.reply.contactRecord, new Uint8Array(300).fill(5));

    assert.deepEqual(
      asked.map(([, request]) => request),
      [ping, find, get, store, ping],
    );
    for (const [from] of asked) {
      assert.deepEqual(from.contact, client.contact);
      assert.equal(from.server, false);
    }
    assert.deepEqual(
      asked.map(([from]) => from.addressProven),
      [false, true, true, true, true],
    );
  });
}

test('identify proves who is at an address', async (t) => {
  const [client, server] = await startPair(t);
  assert.deepEqual(await client.transport.identify(server.contact.endpoint), server.contact);
});

test('a STORE without a token is renewed with the one that the refusal brings', async (t) => {
  const [client, server, asked] = await startPair(t);
  const stored = await client.transport.call(server.contact, store);
  assert.deepEqual(stored.reply, replies.store);
  assert.equal(asked.length, 1, 'the handler saw only the proven one');
  assert.equal(server.transport.counters()['request.token'], 1);
});

test('an ANNOUNCE counts against nobody who has not proved to be there', async (t) => {
  const [client, server, asked] = await startPair(t);
  const announce = { method: 'announce', record: new Uint8Array(158) } as const;
  const heard = await client.transport.call(server.contact, announce);
  assert.deepEqual(heard.reply, replies.announce);
  assert.deepEqual(
    asked.map(([{ addressProven }, { method }]) => [method, addressProven]),
    [['announce', true]],
  );
  assert.equal(server.transport.counters()['request.token'], 1);
});

test('a lost request and a lost reply are asked for again', async (t) => {
  const [client, server, asked] = await startPair(t);
  const losing = (['to-target', 'from-target'] as const).map(async (lost) => {
    let left = 1;
    const endpoint = await startRelay(t, server.contact.endpoint, (direction) =>
      direction === lost && left-- > 0 ? 0 : 1,
    );
    await client.transport.call(contactOf(server.key.publicKey, endpoint), ping);
  });
  await Promise.all(losing);
  assert.ok(asked.length >= 3, 'the one whose reply was lost was handled twice');
  assert.ok((client.transport.counters()['init.sent'] ?? 0) >= 4);
});

test('a client that comes from another port in the middle of a conversation goes on', async (t) => {
  const [client, server, asked] = await startPair(t);
  const relay = await startNat(t, server.contact.endpoint);
  const contact = contactOf(server.key.publicKey, relay.endpoint);
  const ports: number[] = [];
  for (let mapping = 0; mapping < 3; mapping++) {
    const { reply, info } = await client.transport.call(contact, store);
    assert.deepEqual(reply, replies.store);
    ports.push(info.observed.port);
    await relay.rebind();
  }
  assert.equal(new Set(ports).size, 3);
  assert.deepEqual(
    asked.map(([{ contact: from, addressProven }]) => [from.endpoint.port, addressProven]),
    ports.map((port) => [port, true]),
  );
  // The token is for the address without its port: only the first STORE had to fetch one.
  assert.equal(server.transport.counters()['request.token'], 1);
});

test('a taken port rejects start with PORT_TAKEN and leaves nothing open', async (t) => {
  const [, server] = await startPair(t);
  const { port } = server.contact.endpoint;
  const second = new UdpTransport(
    {
      world: systemWorld,
      key: testKey(5),
      network: new Uint8Array(16),
      log: silentLogger,
      contactRecord: () => undefined,
      isServer: () => false,
    },
    {
      listen: [
        { host: '127.0.0.1', port: 0 },
        { host: '127.0.0.1', port },
      ],
    },
  );
  await assert.rejects(second.start(), (error) => isAltNetError(error, 'PORT_TAKEN'));
  assert.deepEqual(second.address(), []);
  await second.stop();
});

test('an address that this host does not have rejects start with BIND_FAILED', async (t) => {
  await assert.rejects(startNode(t, { n: 6, host: '192.0.2.1' }), (error) =>
    isAltNetError(error, 'BIND_FAILED'),
  );
  await assert.rejects(startNode(t, { n: 6, host: 'localhost' }), (error) =>
    isAltNetError(error, 'BAD_ADDRESS'),
  );
});

test('a wildcard listens on both families of one port', async (t) => {
  const server = await startNode(t, { n: 1, host: '0.0.0.0', handler: toyHandler() });
  const addresses = server.transport.address();
  assert.equal(new Set(addresses.map(({ port }) => port)).size, 1);
  const { port } = server.contact.endpoint;
  const families = new Set(addresses.map(({ ip }) => ip.length));
  for (const ip of [Uint8Array.of(127, 0, 0, 1), Uint8Array.of(...new Uint8Array(15), 1)]) {
    if (!families.has(ip.length)) continue;
    const client = await startNode(t, { n: 2, host: ip.length === 4 ? '127.0.0.1' : '::1' });
    const contact = contactOf(server.key.publicKey, { ip, port });
    const { observed } = (await client.transport.call(contact, ping)).info;
    assert.deepEqual(observed, client.contact.endpoint);
  }
});

test('stop settles what is under way, twice is once, and later calls are refused', async (t) => {
  const [client, server] = await startPair(t);
  server.transport.serve(() => Promise.withResolvers<undefined>().promise);
  const calls = [
    client.transport.call(server.contact, ping),
    client.transport.call(server.contact, find),
    client.transport.identify({ ip: Uint8Array.of(127, 0, 0, 1), port: 9 }),
  ];
  const settled = Promise.allSettled(calls);
  await Promise.all([client.transport.stop(), client.transport.stop()]);
  for (const outcome of await settled) {
    assert.ok(outcome.status === 'rejected' && isAltNetError(outcome.reason, 'ABORTED'));
  }
  await assert.rejects(client.transport.call(server.contact, ping), (error) =>
    isAltNetError(error, 'ABORTED'),
  );
});

test('an aborted signal ends a call with its reason, before and during', async (t) => {
  const [client, server] = await startPair(t);
  server.transport.serve(() => undefined);
  const reason = new Error('enough');
  await assert.rejects(
    client.transport.call(server.contact, ping, { signal: AbortSignal.abort(reason) }),
    reason,
  );
  const controller = new AbortController();
  const call = client.transport.call(server.contact, ping, { signal: controller.signal });
  await until(() => server.transport.counters()['request.dropped'] === 1);
  controller.abort(reason);
  await assert.rejects(call, reason);
});

test('a handler that fails is logged once, counted, and the request dropped', async (t) => {
  const logged: string[] = [];
  const server = await startNode(t, {
    n: 1,
    log: { ...silentLogger, error: (message) => logged.push(message) },
    handler: (_, request) => {
      if (request.method === 'ping') throw new Error('no ping');
      return Promise.reject(new Error('nothing else'));
    },
  });
  const client = await startNode(t, { n: 2 });
  const { signal, abort } = controllerOf();
  const calls = [ping, find].map((request) =>
    client.transport.call(server.contact, request, { signal }),
  );
  const settled = Promise.allSettled(calls);
  await until(() => server.transport.counters()['request.handler-failed'] === 2);
  abort();
  await settled;
  assert.deepEqual(logged, ['a request could not be handled; it was dropped']);
});

function controllerOf(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

test('addresses that no node can have are refused at once', async (t) => {
  const [client, server] = await startPair(t);
  for (const endpoint of [
    { ip: Uint8Array.of(0, 0, 0, 0), port: 9000 },
    { ip: Uint8Array.of(255, 255, 255, 255), port: 9000 },
    { ip: Uint8Array.of(127, 0, 0, 1), port: 0 },
  ]) {
    const contact = contactOf(server.key.publicKey, endpoint);
    for (const attempt of [
      client.transport.call(contact, ping),
      client.transport.identify(endpoint),
    ]) {
      await assert.rejects(attempt, (error) => isAltNetError(error, 'UNREACHABLE'));
    }
  }
});

test('a family without a socket is refused at once', async (t) => {
  const [client, server] = await startPair(t);
  const ip = Uint8Array.of(...new Uint8Array(15), 1);
  await assert.rejects(
    client.transport.call(contactOf(server.key.publicKey, { ip, port: 9000 }), ping),
    (error) => isAltNetError(error, 'UNREACHABLE'),
  );
});

test('more requests than may wait are refused, and those that wait get their turn', async (t) => {
  const [, server] = await startPair(t);
  const client = await startNode(t, { n: 7, runningMax: 1, waitingMax: 2 });
  const calls = Array.from({ length: 4 }, () => client.transport.call(server.contact, ping));
  const outcomes = await Promise.allSettled(calls);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'fulfilled', 'rejected'],
  );
});

test('what fails in a queued request ends neither the transport nor the process', async (t) => {
  let failures = 0;
  const server = await startNode(t, {
    n: 1,
    handler: toyHandler(),
    dhShare: 0.02, // one request uses up the budget for a moment: the others wait in the queue
    isServer: () => {
      failures += 1;
      throw new Error('a fault of ours');
    },
  });
  const client = await startNode(t, { n: 2 });
  const calls = [1, 2, 3].map(() => client.transport.call(server.contact, ping));
  const results = await Promise.allSettled(calls);
  assert.deepEqual(new Set(results.map(({ status }) => status)), new Set(['rejected']));
  await until(() => failures > 1);
  assert.equal(server.transport.counters()['request.handler-failed'], failures);
});
