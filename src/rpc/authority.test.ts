import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { sampleLink } from '../../test/support/dht-samples.ts';
import { MemoryRecordStore } from '../../test/support/memory-store.ts';
import {
  exchange,
  flags,
  flood,
  payloadOf,
  type Sealer,
  sealerOf,
  sourcesAt,
} from '../../test/support/udp-attack.ts';
import {
  boundSocket,
  localNetwork,
  requests,
  startNode,
  testKey,
  type TestNode,
  toyHandler,
  until,
} from '../../test/support/udp.ts';
import { type Bytes, toHex } from '../base/bytes.ts';
import { systemWorld, unixSeconds } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { Dht } from '../dht/dht.ts';
import type { SignedRecord } from '../record/envelope.ts';
import { contactOf } from '../identity/contact.ts';
import { storeStatuses } from '../record/kinds.ts';
import { networkProfiles } from '../record/network.ts';
import { nodeCrypto } from '../noise/node-crypto.ts';
import { methodCodes } from '../wire/requests.ts';
import { mac1KeyOf, ownKeysOf } from './peers.ts';
import { Sealing } from './sealing.ts';

interface DhtNode extends TestNode {
  readonly dht: Dht;
  readonly records: MemoryRecordStore;
}

/** A node whose requests are answered by the real DHT; it ends with the test. */
async function startDhtNode(t: TestContext, n: number): Promise<DhtNode> {
  const node = await startNode(t, { n });
  const records = new MemoryRecordStore();
  const dht = new Dht({
    self: () => node.key,
    transport: node.transport,
    records,
    world: systemWorld,
    profile: networkProfiles.local,
    network: localNetwork,
    log: silentLogger,
    contactRecord: () => undefined,
    isServer: () => true,
  });
  t.after(() => dht.stop());
  await dht.start();
  return { ...node, dht, records };
}

/** All that requests could have changed. */
function stateOf({ dht, records }: DhtNode): unknown {
  return {
    table: dht.table.contacts(),
    received: { ...dht.counters().received },
    stored: [...records.entries()].map(({ stored }) => toHex(stored.record.hash)),
  };
}

function freshLink(): SignedRecord {
  return sampleLink('https://example.net/', { issued: unixSeconds(systemWorld.clock) });
}

/** The token that the node gives to the sealer at this address. */
async function tokenFor(
  sealer: Sealer,
  route: { to: TestNode; from: Awaited<ReturnType<typeof boundSocket>> },
): Promise<Bytes> {
  const reply = await exchange(route, sealer.seal(route.to, payloadOf(methodCodes.ping), 1));
  assert.ok(reply);
  return reply.token;
}

test('INIT replay: 100,000 captured requests from other addresses change nothing', async (t) => {
  const server = await startDhtNode(t, 1);
  const honest = sealerOf(2);
  const socket = await boundSocket(t);
  const route = { to: server, from: socket };
  const flag = flags.wantV4 | flags.server;
  const token = await tokenFor(honest, route);
  const { bytes } = freshLink();
  const captured = [
    honest.seal(server, payloadOf(methodCodes.ping, { flag, payloadBytes: 600 }), 2),
    honest.seal(server, payloadOf(methodCodes.find, { flag, body: new Uint8Array(32) }), 3),
    honest.seal(server, payloadOf(methodCodes.get, { flag, body: new Uint8Array(43) }), 4),
    honest.seal(server, payloadOf(methodCodes.store, { flag, token, body: bytes }), 5),
  ];
  for (const sealed of captured) {
    assert.equal((await exchange(route, sealed))?.status, storeStatuses.OK);
  }
  assert.equal([...server.records.entries()].length, 1);
  // The node asks back who says that it is a server, and gives up when nobody answers.
  await until(() => (server.transport.counters()['call.timeout'] ?? 0) > 0);
  const before = stateOf(server);
  const sent = server.transport.counters()['resp.sent'];

  const others = await sourcesAt(t, { octet: 7, count: 64 });
  const inits = captured.map(({ init }) => init);
  const times = 100_000;
  await flood({ to: server, from: others, where: ['init.replay'] }, times, (n) => {
    return inits[n % inits.length] ?? new Uint8Array(0);
  });
  assert.deepEqual(stateOf(server), before);
  const counters = server.transport.counters();
  assert.equal(counters['init.replay'], times, 'each cost one MAC and one look into the ring');
  assert.equal(counters['resp.sent'], sent, 'and was answered by nothing');

  // Who replays to the same key after a restart is handled once, without the token's rights.
  const restarted = await startDhtNode(t, 1);
  const [other] = others;
  assert.ok(other);
  const tells: number[] = [];
  other.on('message', (datagram: Buffer) => tells.push(datagram.length));
  for (const init of inits) other.send(init, restarted.contact.endpoint.port, '127.0.0.1');
  await until(() => tells.length >= inits.length);
  assert.equal(restarted.transport.counters()['request.token'], 1, 'the STORE');
  assert.deepEqual([...restarted.records.entries()], []);
  await until(() => (restarted.transport.counters()['call.timeout'] ?? 0) > 0);
  assert.deepEqual(restarted.dht.table.contacts(), [], 'a replay moves no contact');
});

/** Seals as `victim`, whose key it does not have, with the node's own stolen key in its place. */
function thiefOf(stolen: TestNode, victim: number): Sealer {
  const own = ownKeysOf(testKey(victim));
  const r = ownKeysOf(stolen.key);
  const ss = nodeCrypto.dh(r.s, own.s.publicKey);
  assert.ok(ss);
  const someKey = nodeCrypto.generateKeyPair().privateKey;
  const pretended = { ...own, s: { publicKey: own.s.publicKey, privateKey: someKey } };
  const { peers } = sealerOf(9);
  const sealing = new Sealing(nodeCrypto, { networkId: localNetwork, own: pretended, peers });
  const { publicKey } = stolen.key;
  const responder = {
    publicKey,
    rs: { publicKey: r.s.publicKey, ss },
    mac1Key: mac1KeyOf(publicKey),
  };
  return {
    sealing,
    peers,
    seal(_to, payload, n = 0) {
      const sealed = sealing.seal(responder, { txid: new Uint8Array(8).fill(n), payload });
      assert.ok(sealed);
      return sealed;
    },
  };
}

test('stolen node key: a forged initiator is believed, reads nothing and writes nothing', async (t) => {
  const server = await startDhtNode(t, 1);
  const socket = await boundSocket(t);
  const route = { to: server, from: socket };
  const thief = thiefOf(server, 2);

  const read = await exchange(route, thief.seal(server, payloadOf(methodCodes.ping), 1));
  assert.equal(read, undefined, 'the answer is for the key that it pretends to have');
  assert.equal(server.dht.counters().received['ping'], 1, 'message 1 alone proves no initiator');

  const { bytes } = freshLink();
  await exchange(route, thief.seal(server, payloadOf(methodCodes.store, { body: bytes }), 2));
  assert.equal(server.transport.counters()['request.token'], 1);

  // Even with the token of the one it pretends to be, at that one's address.
  const token = await tokenFor(sealerOf(2), route);
  const forged = bytes.slice();
  forged[forged.length - 1] = (forged[forged.length - 1] ?? 0) ^ 1;
  await exchange(
    route,
    thief.seal(server, payloadOf(methodCodes.store, { token, body: forged }), 3),
  );
  assert.equal(server.dht.counters().refused['BAD_SIG'], 1);
  assert.deepEqual([...server.records.entries()], []);
});

test('key alias: no ID gets into the table that did not answer for itself', async (t) => {
  const asker = await startDhtNode(t, 1);
  const honest = await startDhtNode(t, 2);
  const twin = honest.key.publicKey.slice();
  twin[31] = (twin[31] ?? 0) ^ 0x80;
  const socket = await boundSocket(t);
  const silent = { ip: honest.contact.endpoint.ip, port: socket.address().port };
  const liar = await startNode(t, { n: 3 });
  const lies = [
    contactOf(twin, honest.contact.endpoint),
    contactOf(testKey(4).publicKey, honest.contact.endpoint),
    contactOf(testKey(5).publicKey, liar.contact.endpoint),
    contactOf(testKey(6).publicKey, silent),
  ];
  const toy = toyHandler();
  liar.transport.serve((from, request) =>
    request.method === 'find'
      ? { method: 'find', contacts: [...lies, honest.contact] }
      : toy(from, request),
  );
  await asker.dht.join([liar.contact]);
  // All that it was told of was asked, and each false one once more.
  await until(() => (asker.transport.counters()['call.timeout'] ?? 0) >= lies.length);
  const known = asker.dht.table.contacts();
  const byId = new Map(known.map((contact) => [toHex(contact.id), contact]));
  assert.deepEqual(byId.get(toHex(honest.contact.id)), honest.contact);
  assert.deepEqual(byId.get(toHex(liar.contact.id)), liar.contact);
  assert.equal(known.length, 2);
  // The same contact at an address where it is not: what is known of it stays.
  const moved = contactOf(honest.key.publicKey, liar.contact.endpoint);
  await assert.rejects(asker.transport.call(moved, requests.ping));
  assert.deepEqual(asker.dht.table.contacts().length, 2);
});
