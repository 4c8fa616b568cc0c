/** A relay that has addresses of both families, on loopback. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { networkInterfaces } from 'node:os';
import { type TestContext, test } from 'node:test';
import { manualWorld } from '../../../test/support/manual-world.ts';
import { echo, roundTrip, serveEcho, startNode } from '../../../test/support/relay-net.ts';
import { type Endpoint, parseIp } from '../../base/address.ts';
import { systemWorld } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { SigningKey } from '../../identity/key.ts';
import { PeerHost } from '../host.ts';
import { formatPeerAddress, type RelayedAddress } from '../peer-address.ts';
import { otherFamilyOf, OtherWay } from './other-way.ts';
import { PlaceProbe } from './place-probe.ts';
import { RelayClient } from './relay-client.ts';
import { RelayServer } from './relay-server.ts';

const hasIp6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
);
const skip = hasIp6 ? false : 'this machine has no ::1';

const at = (ip: string, port: number): Endpoint => ({
  ip: parseIp(ip) ?? assert.fail(),
  port,
});

interface TwoFaced {
  readonly publicKey: Uint8Array;
  readonly four: Endpoint;
  readonly six: Endpoint;
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '::1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address && typeof address === 'object');
  server.close();
  await once(server, 'close');
  return address.port;
}

/** A relay on 127.0.0.1 and ::1. */
async function startTwoFaced(t: TestContext): Promise<TwoFaced> {
  const port = await freePort();
  const key = new SigningKey('node', randomBytes(32));
  const listen = ['127.0.0.1', '::1'].map((host) => ({ host, port }));
  const host = new PeerHost({ key, listen });
  await host.start();
  t.after(() => host.stop());
  const limits = { slotsMax: 8, connectionBytesMax: 2 ** 30, connectionMs: 3_600_000 };
  const server = new RelayServer({ streams: host, world: systemWorld }, limits);
  await server.start();
  t.after(() => server.stop());
  return { publicKey: key.publicKey, four: at('127.0.0.1', port), six: at('::1', port) };
}

/** A node with a place at `relay`, which names `others` besides; its addresses after a test. */
async function announcedBy(
  t: TestContext,
  relay: TwoFaced,
  others: readonly Endpoint[],
): Promise<{ readonly publicKey: Uint8Array; readonly addresses: readonly string[] }> {
  const { host, publicKey } = await startNode(t, false);
  await host.handle(echo, serveEcho);
  const probe = new PlaceProbe(host, publicKey, systemWorld);
  await probe.start();
  const world = manualWorld();
  const tested = Promise.withResolvers<void>();
  let tests = 0;
  const client = new RelayClient({
    host,
    self: publicKey,
    world,
    log: silentLogger,
    isNeeded: () => true,
    async *candidates() {
      yield { endpoint: relay.four, publicKey: relay.publicKey, others };
    },
    probe: async (way, signal) => {
      try {
        await probe.run(way, signal);
      } finally {
        if (++tests === 2) setImmediate(() => tested.resolve());
      }
    },
    onChange: () => undefined,
    onProven: () => undefined,
  });
  client.start();
  t.after(() => client.stop());
  await t.waitFor(() => assert.equal(client.places().length, 1), { timeout: 20_000 });
  await world.advanceAsync(3000);
  await tested.promise;
  return { publicKey, addresses: host.addresses() };
}

test('both ways through a relay are announced, and lead to the node', { skip }, async (t) => {
  const relay = await startTwoFaced(t);
  const { publicKey, addresses } = await announcedBy(t, relay, [relay.six]);
  const ways = [relay.four, relay.six].map((endpoint) =>
    formatPeerAddress({ endpoint, relayKey: relay.publicKey }),
  );
  assert.deepEqual(addresses, ways);
  const reader = await startNode(t, false);
  const stream = await reader.host.open({ publicKey, addresses: ways.slice(1) }, echo);
  const sent = new Uint8Array(randomBytes(1000));
  assert.deepEqual(await roundTrip(stream, sent), sent);
});

test('a relay has nobody announce where somebody else is', { skip }, async (t) => {
  const [liar, victim] = [await startTwoFaced(t), await startTwoFaced(t)];
  const { addresses } = await announcedBy(t, liar, [victim.six]);
  const way = { endpoint: liar.four, relayKey: liar.publicKey };
  assert.deepEqual(addresses, [formatPeerAddress(way)]);
});

test('of what a relay names, one address is looked at: of the other family, and as far', () => {
  const four = at('45.0.0.1', 9000);
  const six = at('2a00::1', 9000);
  assert.equal(otherFamilyOf(four, [at('45.0.0.2', 1), at('fd00::1', 2), six]), six);
  assert.equal(otherFamilyOf(six, [at('10.0.0.1', 9000), four]), four);
  assert.equal(otherFamilyOf(four), undefined);
});

test('what the name has that a user wrote is announced without a test', async () => {
  const address: RelayedAddress = { endpoint: at('::1', 1), relayKey: new Uint8Array(32) };
  const way = new OtherWay(address, {
    world: manualWorld(),
    probe: () => assert.fail('it was tested'),
    onChange: () => assert.fail('it was tested'),
    isNamed: true,
  });
  way.test();
  await way.stop();
  assert.equal(way.isProven, true);
});

test('a way that fails twice is no longer announced, and a test that hangs is ended', async () => {
  const world = manualWorld();
  const passes = [true, false, true, false, false];
  const changes: boolean[] = [];
  const address: RelayedAddress = { endpoint: at('::1', 1), relayKey: new Uint8Array(32) };
  const way = new OtherWay(address, {
    world,
    probe: async (_, signal) => {
      const passed = passes.shift();
      if (passed === true) return;
      await new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('given up')));
      });
    },
    onChange: () => changes.push(way.isProven),
  });
  for (let i = 0; i < 5; i++) {
    way.test();
    way.test(); // not twice at a time
    await world.advanceAsync(12_000);
  }
  assert.deepEqual([passes.length, changes], [0, [true, false]]);
  await way.stop();
  way.test();
  assert.equal(world.pendingTimers(), 0);
});
