import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { formatEndpoint } from '../base/address.ts';
import { systemWorld, type World } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { isOnLink } from './interfaces.ts';
import { LanDiscovery, type LanHint } from './lan-discovery.ts';
import { encodeAnnouncement, encodeQuery } from './message.ts';

const loopback = { address: '127.0.0.1', netmask: '255.0.0.0' };
const network = new Uint8Array(16);
/** Not 5353: the machine may have neighbours of its own. */
const groupPort = 25_353;

interface Found {
  readonly hints: LanHint[];
  readonly discovery: LanDiscovery;
}

function node(
  t: TestContext,
  number: number,
  { world = systemWorld, ...over }: { networkId?: Uint8Array; world?: World } = {},
): Found {
  const hints: LanHint[] = [];
  const discovery = new LanDiscovery(
    {
      world,
      log: silentLogger,
      onFound: (hint) => hints.push(hint),
      interfaces: () => [loopback, { address: '10.255.255.1', netmask: '255.255.255.0' }],
    },
    {
      networkId: network,
      publicKey: new Uint8Array(32).fill(number),
      port: 9000 + number,
      listensAt: () => true,
      groupPort,
      ...over,
    },
  );
  t.after(() => discovery.stop());
  discovery.start();
  return { hints, discovery };
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500 && !holds(); tries++) await pause(10);
  assert.ok(holds());
}

test('nodes of one network find each other, whoever was first, and no others', async (t) => {
  const first = node(t, 1);
  const stranger = node(t, 9, { networkId: new Uint8Array(16).fill(3) });
  const second = node(t, 2);
  await until(() => first.hints.length > 0 && second.hints.length > 0);
  const [hint] = second.hints;
  assert.equal(hint && formatEndpoint(hint.endpoint), '127.0.0.1:9001');
  assert.deepEqual(hint?.publicKey, new Uint8Array(32).fill(1));
  assert.equal(first.hints[0]?.endpoint.port, 9002);
  assert.equal(stranger.hints.length, 0);
  assert.equal(first.hints.length, 1, 'the same node is told of once');
});

test('somebody who announces many is heard a few times', async (t) => {
  const heard = node(t, 1);
  const flood = createSocket({ type: 'udp4', reuseAddr: true });
  t.after(() => flood.close());
  const bound = Promise.withResolvers<void>();
  flood.bind({ port: groupPort, address: '0.0.0.0' }, bound.resolve);
  await bound.promise;
  flood.setMulticastInterface('127.0.0.1');
  for (let i = 0; i < 50; i++) {
    const publicKey = new Uint8Array(32).fill(i + 50);
    flood.send(encodeAnnouncement(network, { publicKey, port: 9000 }), groupPort, '224.0.0.251');
  }
  const last = node(t, 2); // all were heard before it
  await until(() => last.hints.length > 0 || heard.hints.length >= 4);
  assert.ok(heard.hints.length <= 5);
});

async function voice(t: TestContext, address: string): Promise<(bytes: Uint8Array) => void> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  t.after(() => socket.close());
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.bind({ port: groupPort, address }, resolve);
  await promise;
  socket.setMulticastInterface('127.0.0.1');
  return (bytes) => socket.send(bytes, groupPort, '224.0.0.251');
}

function announcementOf(number: number): Uint8Array {
  const publicKey = new Uint8Array(32).fill(number);
  return encodeAnnouncement(network, { publicKey, port: 9000 });
}

test('who sends a great deal is not even read, and others are', async (t) => {
  // Time stands still, so that the test does not depend on how fast it is.
  const clock = { unixMs: () => 0, monotonicMs: () => 0 };
  const heard = node(t, 1, { world: { ...systemWorld, clock } });
  const [loud, quiet] = [await voice(t, '127.0.0.2'), await voice(t, '127.0.0.3')];
  await pause(0);
  for (let i = 0; i < 100; i++) loud(encodeQuery(network));
  loud(announcementOf(50));
  quiet(announcementOf(60));
  await until(() => heard.hints.length > 0);
  assert.deepEqual(
    heard.hints.map(({ publicKey }) => publicKey[0]),
    [60],
  );
});

test('a neighbour is who has an address of the same network', () => {
  const at = { address: '192.168.1.7', netmask: '255.255.255.0' };
  assert.ok(isOnLink(Uint8Array.of(192, 168, 1, 200), at));
  assert.ok(!isOnLink(Uint8Array.of(192, 168, 2, 7), at));
  assert.ok(!isOnLink(new Uint8Array(16), at));
  assert.ok(!isOnLink(Uint8Array.of(192, 168, 1, 200), { ...at, netmask: 'ffff::' }));
});
