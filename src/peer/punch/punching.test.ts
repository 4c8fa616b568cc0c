/**
 * What can be shown on loopback, where no NAT is in the way and no address is global: two dials that
 * meet, what a port looks like from outside, and that nothing is dialled where it leads nowhere. The
 * rest is shown in test/integration/nat.test.ts.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { publicKeyFromRaw } from '@libp2p/crypto/keys';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import { formatEndpoint, parseEndpoint } from '../../base/address.ts';
import { systemWorld } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { SigningKey } from '../../identity/key.ts';
import { parseMultiaddr } from '../address.ts';
import { PeerHost } from '../host.ts';
import { formatPeerAddress } from '../peer-address.ts';
import { encodeAnswer, reachProtocol } from '../reach/reach-frames.ts';
import { ReachServer } from '../reach/reach-server.ts';
import { testTcpReach } from '../reach/tcp-reach.ts';
import { relayProtocol } from '../relay/relay-frames.ts';
import { RelayLink } from '../relay/relay-link.ts';
import { RelayServer } from '../relay/relay-server.ts';
import { punchHole } from './hole.ts';
import type { PunchRole } from './port-dial.ts';
import { type Observer, probe } from './probe.ts';
import { Punching } from './punching.ts';

const world = systemWorld;
const echo = '/test/echo/1';
const { signal } = new AbortController();

interface Node {
  readonly host: PeerHost;
  readonly key: SigningKey;
}

async function startNode(t: TestContext, listen?: string): Promise<Node> {
  const key = new SigningKey('node', randomBytes(32));
  const host = new PeerHost({ key, listen: listen ? [{ host: listen, port: 0 }] : [] });
  await host.start();
  t.after(() => host.stop());
  return { host, key };
}

/** One that answers what it sees, and dials back also on loopback. */
async function startObserver(t: TestContext, ip = '127.0.0.1'): Promise<Node & Observer> {
  const node = await startNode(t, ip);
  const { host, key } = node;
  await new ReachServer({
    streams: host,
    ports: () => host.ports,
    world,
    mayDial: () => true,
  }).start();
  const [endpoint] = host.addresses().flatMap((text) => parseMultiaddr(text) ?? []);
  assert.ok(endpoint);
  return { ...node, publicKey: key.publicKey, endpoint };
}

function portsOf({ host }: Node): NonNullable<PeerHost['ports']> {
  assert.ok(host.ports);
  return host.ports;
}

/** Joins what connects to one port with what connects to the other; both ports. */
async function meetingPlace(t: TestContext): Promise<readonly [number, number]> {
  const waiting: Socket[] = [];
  const open = async (): Promise<number> => {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      const other = waiting.pop();
      if (other) other.pipe(socket).pipe(other);
      else waiting.push(socket);
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, '127.0.0.1', resolve);
    await promise;
    t.after(() => server.close());
    return (server.address() as AddressInfo).port;
  };
  return [await open(), await open()];
}

test('two that dial each other get one connection, each in its role', async (t) => {
  const nodes = [await startNode(t), await startNode(t)] as const;
  await nodes[1].host.handle(echo, async (stream) => {
    for await (const chunk of stream.read) await stream.write(chunk);
    await stream.close();
  });
  const places = await meetingPlace(t);
  const roles: readonly PunchRole[] = ['client', 'server'];
  const connections = await Promise.all(
    nodes.map((node, i) => {
      const endpoint = parseEndpoint(`127.0.0.1:${places[i]}`);
      const other = nodes[1 - i];
      assert.ok(endpoint && other);
      const peer = peerIdFromPublicKey(publicKeyFromRaw(other.key.publicKey));
      const role = roles[i] ?? 'client';
      return punchHole(portsOf(node), { endpoint, peer, signal }, { role, world });
    }),
  );
  assert.deepEqual(
    connections.map(({ direction }) => direction),
    ['outbound', 'inbound'],
  );
  const target = { publicKey: nodes[1].key.publicKey, addresses: [] };
  const stream = await nodes[0].host.open(target, echo);
  await stream.write(Uint8Array.of(1, 2, 3));
  for await (const chunk of stream.read) {
    assert.deepEqual([...chunk], [1, 2, 3]);
    break;
  }
  stream.abort(new Error('enough'));
});

test('another key than the one that was agreed on is refused', async (t) => {
  const [node, other] = [await startNode(t), await startNode(t)];
  const places = await meetingPlace(t);
  const wrong = peerIdFromPublicKey(
    publicKeyFromRaw(new SigningKey('node', randomBytes(32)).publicKey),
  );
  const right = peerIdFromPublicKey(publicKeyFromRaw(node.key.publicKey));
  const dial = (from: Node, at: number, role: PunchRole): Promise<unknown> => {
    const endpoint = parseEndpoint(`127.0.0.1:${places[at]}`);
    assert.ok(endpoint);
    const peer = role === 'client' ? wrong : right;
    return portsOf(from).punch({ endpoint, peer, signal }, role);
  };
  const [client] = await Promise.allSettled([dial(node, 0, 'client'), dial(other, 1, 'server')]);
  assert.equal(client.status, 'rejected');
  assert.deepEqual(node.host.connections(), []);
});

test('a hole that nobody digs at from the other side is given up', async (t) => {
  const node = await startNode(t);
  const endpoint = parseEndpoint('127.0.0.1:9');
  assert.ok(endpoint);
  const given = new AbortController();
  const peer = peerIdFromPublicKey(publicKeyFromRaw(node.key.publicKey));
  const goal = { endpoint, peer, signal: given.signal };
  const dug = punchHole(portsOf(node), goal, { role: 'client', world });
  setTimeout(() => given.abort(new Error('stopped')), 100);
  await assert.rejects(dug, /stopped/);
});

test('a port is seen alike by two, and is this machine’s own where no NAT is', async (t) => {
  const node = await startNode(t);
  const observers = [await startObserver(t), await startObserver(t)];
  const seen = await probe({ ports: portsOf(node), observers, world, signal });
  assert.ok(seen.kind === 'open' && seen.port.isProven);
  assert.equal(formatEndpoint(seen.port.outside), `127.0.0.1:${seen.port.localPort}`);
  assert.deepEqual(node.host.connections(), [], 'nobody else uses these connections');
  seen.port.close();
  const [observer] = observers;
  assert.ok(observer);
  const gone = { publicKey: randomBytes(32), endpoint: observer.endpoint };
  const none = await probe({ ports: portsOf(node), observers: [gone], world, signal });
  assert.equal(none.kind, 'failed');
});

/** Sees everybody at an address that nobody has. */
async function startLiar(t: TestContext): Promise<Observer> {
  const observer = await startObserver(t);
  const endpoint = parseEndpoint('45.0.0.1:4000');
  assert.ok(endpoint);
  await observer.host.handle(reachProtocol, async (stream) => {
    await stream.write(encodeAnswer({ type: 'seenAt', endpoint }));
    await stream.close();
  });
  return observer;
}

test('one that lies about what it sees is found out by two that do not', async (t) => {
  const node = await startNode(t);
  const [liar, honest, other] = [
    await startLiar(t),
    await startObserver(t),
    await startObserver(t),
  ];
  const ask = (...observers: Observer[]): ReturnType<typeof probe> =>
    probe({ ports: portsOf(node), observers, world, signal });
  const seen = await ask(liar, honest, other);
  assert.ok(seen.kind === 'open' && seen.port.isProven);
  assert.equal(formatEndpoint(seen.port.outside), `127.0.0.1:${seen.port.localPort}`);
  seen.port.close();
  assert.equal((await ask(liar, honest)).kind, 'unpredictable');
});

test('whether others connect here is known when two of different networks did', async (t) => {
  const node = await startNode(t, '127.0.0.1');
  const [own] = node.host.addresses().flatMap((text) => parseMultiaddr(text) ?? []);
  assert.ok(own);
  const helpers = [await startObserver(t, '127.0.0.1'), await startObserver(t, '127.1.0.1')];
  const deps = { open: node.host.open.bind(node.host), world };
  const ask = (port: number, some: readonly Observer[]): Promise<string> =>
    testTcpReach(deps, { port, helpers: some, signal });
  assert.equal(await ask(own.port, helpers), 'reached');
  assert.equal(await ask(9, helpers), 'unreached');
  assert.equal(await ask(own.port, helpers.slice(0, 1)), 'unknown');
  const twice = [helpers[0], helpers[0]].flatMap((one) => one ?? []);
  assert.equal(await ask(own.port, twice), 'unknown', 'one network counts once');
});

test('through a relay an attempt is made once, and where it leads nowhere nothing is dialled', async (t) => {
  const relay = await startObserver(t);
  const limits = { slotsMax: 8, connectionBytesMax: 2 ** 30, connectionMs: 3_600_000 };
  const server = new RelayServer({ streams: relay.host, world, log: silentLogger }, limits);
  await server.start();
  t.after(() => server.stop());
  const [hidden, reader] = [await startNode(t), await startNode(t)];
  const punching = [hidden, reader].map(
    ({ host }) => new Punching({ host, observers: () => [relay], world, log: silentLogger }),
  );
  for (const one of punching) {
    await one.start();
    t.after(() => one.stop());
  }
  await hidden.host.handle(echo, (stream) => stream.close());
  const direct = formatPeerAddress({ endpoint: relay.endpoint });
  const target = { publicKey: relay.publicKey, addresses: [direct] };
  const link = new RelayLink(await hidden.host.open(target, relayProtocol), world);
  link.start();
  t.after(() => link.close());
  await link.reserve();
  const address = { endpoint: relay.endpoint, relayKey: relay.publicKey };
  hidden.host.useRelays([address]);
  const there = { publicKey: hidden.key.publicKey, addresses: [formatPeerAddress(address)] };
  await reader.host.open(there, echo);
  const attempts = (): number[] => punching.map((one) => one.counts().attempts);
  for (let tries = 0; tries < 500 && attempts().join() !== '1,1'; tries++) await pause(10);
  await Promise.all(punching.map((one) => one.stop()));
  assert.deepEqual(
    punching.map((one) => one.counts()),
    [
      { attempts: 1, direct: 0 },
      { attempts: 1, direct: 0 },
    ],
  );
  const ways = reader.host.connections().filter(({ isRelayed }) => isRelayed);
  assert.equal(ways.length, 1, 'what is relayed stays');
});
