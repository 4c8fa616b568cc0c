import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import {
  boundSocket,
  localNetwork,
  replies,
  requests,
  startNode,
  startPair,
  startRelay,
  testKey,
  type TestNode,
  toyHandler,
  until,
} from '../../test/support/udp.ts';
import type { Endpoint } from '../base/address.ts';
import { type Bytes, concatBytes } from '../base/bytes.ts';
import { systemWorld, type World } from '../base/clock.ts';
import { isAltNetError } from '../base/errors.ts';
import type { RequestHandler } from '../dht/ports.ts';
import { contactOf } from '../identity/contact.ts';
import { storeStatuses } from '../record/kinds.ts';
import { nodeCrypto } from '../noise/node-crypto.ts';
import { encodeWho } from '../wire/packets.ts';
import { ownKeysOf, Peers } from './peers.ts';
import { Sealing } from './sealing.ts';

const { ping, find } = requests;

function isTimeout(error: unknown): boolean {
  return isAltNetError(error, 'TIMEOUT');
}

test('a contact with the wrong key is not answered, nor is the twin −A', async (t) => {
  const [client, server, asked] = await startPair(t);
  const twin = server.key.publicKey.slice();
  twin[31] = (twin[31] ?? 0) ^ 0x80;
  const wrong = [testKey(3).publicKey, twin].map((key) => contactOf(key, server.contact.endpoint));
  await Promise.all(
    wrong.map((contact) => assert.rejects(client.transport.call(contact, ping), isTimeout)),
  );
  // Two INITs each; a slow machine may read the last one after the client gave up.
  await until(() => server.transport.counters()['init.mac1'] === 4);
  assert.equal(asked.length, 0);
});

test('−A with a mac1 that fits is refused by the prologue', async (t) => {
  const [, server, asked] = await startPair(t);
  const attacker = sealingOf(8);
  const honest = attacker.peers.responder(server.key.publicKey);
  const twinKey = server.key.publicKey.slice();
  twinKey[31] = (twinKey[31] ?? 0) ^ 0x80;
  const twin = attacker.peers.responder(twinKey);
  assert.ok(honest && twin);
  const sealed = attacker.sealing.seal(
    { ...twin, mac1Key: honest.mac1Key },
    { txid: new Uint8Array(8), payload: new Uint8Array(24).fill(1, 0, 1) },
  );
  assert.ok(sealed);
  const socket = await boundSocket(t);
  socket.send(sealed.init, server.contact.endpoint.port, '127.0.0.1');
  await until(() => server.transport.counters()['init.seal'] === 1);
  assert.equal(asked.length, 0);
});

function sealingOf(n: number): { sealing: Sealing; peers: Peers } {
  const own = ownKeysOf(testKey(n));
  const peers = new Peers(nodeCrypto, own.s);
  return { peers, sealing: new Sealing(nodeCrypto, { networkId: localNetwork, own, peers }) };
}

test('a contact with an unusable key is refused before anything is sent', async (t) => {
  const [client, server] = await startPair(t);
  const zeros = new Uint8Array(31);
  for (const key of [
    Uint8Array.of(0, ...zeros),
    Uint8Array.of(1, ...zeros),
    new Uint8Array(32).fill(255),
  ]) {
    await assert.rejects(
      client.transport.call(contactOf(key, server.contact.endpoint), ping),
      (error) => isAltNetError(error, 'UNREACHABLE'),
    );
  }
  assert.equal(client.transport.counters()['init.sent'], undefined);
});

test('two networks do not understand each other', async (t) => {
  const [, server, asked] = await startPair(t);
  const stranger = await startNode(t, { n: 4, network: new Uint8Array(16) });
  await Promise.all([
    assert.rejects(stranger.transport.call(server.contact, ping), isTimeout),
    assert.rejects(stranger.transport.identify(server.contact.endpoint), isTimeout),
  ]);
  await until(() => server.transport.counters()['init.seal'] === 2);
  assert.ok((stranger.transport.counters()['iam.signature'] ?? 0) > 0);
  assert.equal(asked.length, 0);
});

test('a replayed INIT is not handled twice', async (t) => {
  const [client, server, asked] = await startPair(t);
  const endpoint = await startRelay(t, server.contact.endpoint, (direction) =>
    direction === 'to-target' ? 3 : 1,
  );
  await client.transport.call(contactOf(server.key.publicKey, endpoint), ping);
  const sent = client.transport.counters()['init.sent'] ?? 0;
  await until(() => server.transport.counters()['init.replay'] === 2 * sent);
  assert.equal(asked.length, sent, 'of three copies, one');
});

/** A relay that sends a damaged copy ahead of every reply. */
async function startForger(t: TestContext, target: Endpoint): Promise<Endpoint> {
  const front = await boundSocket(t);
  const back = await boundSocket(t);
  let clientPort = 0;
  front.on('message', (datagram, from) => {
    clientPort = from.port;
    back.send(datagram, target.port, '127.0.0.1');
  });
  back.on('message', (datagram) => {
    const forged = Uint8Array.from(datagram);
    forged[40] = (forged[40] ?? 0) ^ 1;
    for (const sent of [forged, datagram]) front.send(sent, clientPort, '127.0.0.1');
  });
  return { ip: target.ip, port: front.address().port };
}

test('a forged reply does not keep the true one from being read', async (t) => {
  const [client, server] = await startPair(t);
  const endpoint = await startForger(t, server.contact.endpoint);
  const { reply } = await client.transport.call(contactOf(server.key.publicKey, endpoint), ping);
  assert.equal(reply.method, 'ping');
  assert.ok((client.transport.counters()['resp.seal'] ?? 0) > 0);

  const identified = await client.transport.identify(endpoint);
  assert.deepEqual(identified.publicKey, server.key.publicKey);
  assert.ok((client.transport.counters()['iam.signature'] ?? 0) > 0);
});

test('garbage of every kind is counted and harms nothing', async (t) => {
  const [client, server] = await startPair(t);
  const socket = await boundSocket(t);
  const garbage: Bytes[] = Array.from({ length: 256 }, (_, type) => Uint8Array.of(type));
  for (const length of [0, 12, 28, 108, 164, 224, 600, 1200, 1400]) {
    for (const type of [4, 5, 6, 7, 9, 10]) {
      garbage.push(concatBytes(Uint8Array.of(type, 1, 1, 0), new Uint8Array(length)));
    }
  }
  const { port } = server.contact.endpoint;
  for (const datagram of garbage) {
    // One at a time: the receiver's buffer has its limit.
    await new Promise((resolve) => socket.send(datagram, port, '127.0.0.1', resolve));
  }
  await until(() => sum(Object.values(server.transport.counters())) === garbage.length);
  assert.equal(server.transport.counters()['packet.failed'], undefined);
  assert.equal((await client.transport.call(server.contact, ping)).reply.method, 'ping');
});

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

test('an authentic request with a malformed payload is refused with a status', async (t) => {
  const [, server, asked] = await startPair(t);
  const attacker = sealingOf(8);
  const responder = attacker.peers.responder(server.key.publicKey);
  assert.ok(responder);
  const socket = await boundSocket(t);
  for (const [method, want] of [
    [9, storeStatuses.METHOD],
    [2, storeStatuses.MALFORMED],
  ] as const) {
    const payload = new Uint8Array(24);
    payload[0] = method;
    const sealed = attacker.sealing.seal(responder, { txid: new Uint8Array(8), payload });
    assert.ok(sealed);
    const received = once(socket, 'message') as Promise<[Buffer]>;
    socket.send(sealed.init, server.contact.endpoint.port, '127.0.0.1');
    const [resp] = await received;
    assert.ok(resp.length <= sealed.init.length);
    assert.equal(sealed.open(Uint8Array.from(resp.subarray(12)))?.[0], want);
  }
  assert.equal(asked.length, 0);
});

/* Amplification */

/** A handler whose every reply is as long as it can be. */
const generous: RequestHandler = (_, request) => {
  if (request.method === 'ping') return { method: 'ping', contactRecord: new Uint8Array(600) };
  if (request.method === 'find') return replies.find;
  if (request.method === 'get') {
    return { ...replies.get, records: [new Uint8Array(1000)], contacts: replies.find.contacts };
  }
  if (request.method === 'sync') {
    const entries = Array.from({ length: 22 }, (_entry, i) => ({
      key: new Uint8Array(32).fill(i),
      hash: new Uint8Array(16),
    }));
    return { method: 'sync', entries, more: true };
  }
  if (request.method === 'announce') return replies.announce;
  if (request.method === 'reach') return replies.reach;
  if (request.method === 'leave') return replies.leave;
  const { NAME_TAKEN } = storeStatuses;
  return {
    method: 'store',
    status: NAME_TAKEN,
    conflicting: new Uint8Array(1000),
    detail: undefined,
  };
};

test('without a token no reply is longer than its request, whatever the method', async (t) => {
  const server = await startNode(t, { n: 1, handler: generous });
  for (const request of Object.values(requests)) {
    const first = { 'to-target': 0, 'from-target': 0 };
    const endpoint = await startRelay(t, server.contact.endpoint, (direction, datagram) => {
      // Later datagrams may carry the token that the first reply brought.
      first[direction] ||= datagram.length;
      return 1;
    });
    const client = await startNode(t, { n: 2 });
    await client.transport.call(contactOf(server.key.publicKey, endpoint), request);
    const { 'from-target': out, 'to-target': into } = first;
    assert.ok(out > 0 && out <= into, `${request.method}: ${out} out for ${into} in`);
  }
});

test('who does not pad gets a shorter reply, never a longer one', async (t) => {
  const server = await startNode(t, { n: 1, handler: generous });
  const attacker = sealingOf(8);
  const responder = attacker.peers.responder(server.key.publicKey);
  assert.ok(responder);
  const socket = await boundSocket(t);
  const bodies: [number, number][] = [
    [1, 0],
    [2, 32],
    [3, 43],
    [4, 158],
    [5, 48],
    [7, 16],
  ];
  for (const [method, bodyBytes] of bodies) {
    const payload = new Uint8Array(24 + bodyBytes);
    payload.set([method, 0b1100, bodyBytes >> 8, bodyBytes & 255]);
    const sealed = attacker.sealing.seal(responder, { txid: new Uint8Array(8), payload });
    assert.ok(sealed);
    const received = once(socket, 'message') as Promise<[Buffer]>;
    socket.send(sealed.init, server.contact.endpoint.port, '127.0.0.1');
    const [resp] = await received;
    assert.ok(resp.length <= sealed.init.length, `method ${method}`);
  }
  const received = once(socket, 'message') as Promise<[Buffer]>;
  const who = encodeWho({ txid: new Uint8Array(8) });
  socket.send(who, server.contact.endpoint.port, '127.0.0.1');
  assert.ok((await received)[0].length <= who.length);
});

/* Load */

/** Real timers, and a clock that only a test moves: a timer then seems to fire late. */
function jumpingWorld(): { world: World; jump: (ms: number) => void } {
  let nowMs = 0;
  return {
    world: {
      ...systemWorld,
      clock: { unixMs: () => systemWorld.clock.unixMs(), monotonicMs: () => nowMs },
    },
    jump: (ms) => (nowMs += ms),
  };
}

async function pingUntil(client: TestNode, server: TestNode, done: () => boolean): Promise<void> {
  while (!done()) await client.transport.call(server.contact, ping);
}

test('under load an INIT needs a cookie, and the client fetches it by itself', async (t) => {
  const { world, jump } = jumpingWorld();
  const asked: Parameters<typeof toyHandler>[0] = [];
  const server = await startNode(t, { n: 1, world, handler: toyHandler(asked) });
  const client = await startNode(t, { n: 2 });
  await client.transport.call(server.contact, ping);
  jump(300);
  await pingUntil(client, server, () => (client.transport.counters()['cookie.received'] ?? 0) > 0);
  const handled = asked.length;
  const { reply } = await client.transport.call(server.contact, find);
  assert.deepEqual(reply, replies.find);
  assert.equal(asked.length, handled + 1, 'once: the INIT without mac2 was not opened');

  // Who does not come back with the cookie costs no handshake.
  const attacker = sealingOf(8);
  const responder = attacker.peers.responder(server.key.publicKey);
  assert.ok(responder);
  const payload = new Uint8Array(24);
  const socket = await boundSocket(t);
  const received: Bytes[] = [];
  socket.on('message', (datagram) => received.push(datagram));
  const sealed = attacker.sealing.seal(responder, { txid: new Uint8Array(8), payload });
  assert.ok(sealed);
  socket.send(sealed.init, server.contact.endpoint.port, '127.0.0.1');
  await until(() => received.length === 1);
  assert.deepEqual([received[0]?.length, received[0]?.[0]], [28, 6]);
});

test('signatures for strangers are limited, also on loopback', async (t) => {
  const { world, jump } = jumpingWorld();
  const server = await startNode(t, { n: 1, world });
  const socket = await boundSocket(t);
  const { port } = server.contact.endpoint;
  const send = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const who = encodeWho({ txid: new Uint8Array(8).fill(i) });
      await new Promise((resolve) => socket.send(who, port, '127.0.0.1', resolve));
    }
  };
  await send(250);
  await until(() => server.transport.counters()['who.rate'] === 50);
  assert.equal(server.transport.counters()['iam.sent'], 200);
  jump(50);
  await send(11);
  await until(() => server.transport.counters()['who.rate'] === 51);
  assert.equal(server.transport.counters()['iam.sent'], 210);
});
