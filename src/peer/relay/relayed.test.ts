/** Circuits of real hosts on loopback. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { collect } from '../../../test/support/collect.ts';
import {
  echo,
  hiddenBehind,
  roundTrip,
  serveEcho,
  startNode,
  startRelay,
  takePlace,
  targetOf,
} from '../../../test/support/relay-net.ts';
import { isAltNetError } from '../../base/errors.ts';
import { formatPeerAddress } from '../peer-address.ts';
import { RelayRefusal } from './relay-link.ts';

const isUnreachable = (error: unknown): boolean => isAltNetError(error, 'UNREACHABLE');

test('a node that nobody reaches is reached through a relay', async (t) => {
  const relay = await startRelay(t);
  const [hidden, reader] = [await hiddenBehind(t, [relay]), await startNode(t, false)];
  assert.deepEqual(hidden.host.addresses(), [formatPeerAddress(relay.address)]);
  const stream = await reader.host.open(targetOf(hidden), echo);
  const sent = randomBytes(3 * 1024 * 1024);
  assert.deepEqual(Buffer.from(await roundTrip(stream, sent)), sent);
  await stream.close();
  const ways = reader.host.connections().map(({ isRelayed }) => isRelayed);
  assert.deepEqual(new Set(ways), new Set([false, true]));
  assert.deepEqual(reader.host.provenAddresses(targetOf(hidden)), []);
  const { reservations, circuits, bytes } = relay.server.counts();
  assert.deepEqual([reservations, circuits], [1, 1]);
  assert.ok(bytes > 2 * sent.length);
});

test('who can be reached directly is not reached through a relay', async (t) => {
  const relay = await startRelay(t);
  const [open, reader] = [await startNode(t, true), await startNode(t, false)];
  await open.host.handle(echo, serveEcho);
  await takePlace(t, open, relay);
  open.host.useRelays([relay.address]);
  const addresses = open.host.addresses().toReversed();
  const stream = await reader.host.open({ publicKey: open.publicKey, addresses }, echo);
  assert.equal(Buffer.from(await roundTrip(stream, Buffer.from('hi'))).toString(), 'hi');
  assert.deepEqual(
    reader.host.connections().map(({ isRelayed }) => isRelayed),
    [false],
  );
});

test('of two relays one may be dead', async (t) => {
  const [dead, alive] = [await startRelay(t), await startRelay(t)];
  const [hidden, reader] = [await hiddenBehind(t, [dead, alive]), await startNode(t, false)];
  await dead.host.stop();
  const stream = await reader.host.open(targetOf(hidden), echo);
  assert.equal(Buffer.from(await roundTrip(stream, Buffer.from('hi'))).toString(), 'hi');
});

test('a circuit ends when it has carried what it may, and another one may follow', async (t) => {
  const relay = await startRelay(t, { connectionBytesMax: 1024 * 1024 });
  const [hidden, reader] = [await hiddenBehind(t, [relay]), await startNode(t, false)];
  const stream = await reader.host.open(targetOf(hidden), echo);
  await assert.rejects(roundTrip(stream, randomBytes(3 * 1024 * 1024)), isUnreachable);
  const again = await reader.host.open(targetOf(hidden), echo);
  assert.equal(Buffer.from(await roundTrip(again, Buffer.from('hi'))).toString(), 'hi');
});

test('a circuit ends when its time is over', async (t) => {
  const relay = await startRelay(t, { connectionMs: 300 });
  const [hidden, reader] = [await hiddenBehind(t, [relay]), await startNode(t, false)];
  const stream = await reader.host.open(targetOf(hidden), echo);
  // In order or not: a stream that ends has not delivered all that there is.
  const came = await collect(stream.read).catch(() => []);
  assert.deepEqual(came, []);
  await t.waitFor(() => assert.equal(relay.server.counts().circuits, 0), { timeout: 10_000 });
});

test('no circuit to who has no place, and none from a relay where this node has none', async (t) => {
  const relay = await startRelay(t);
  const [hidden, reader] = [await startNode(t, false), await startNode(t, false)];
  const target = { publicKey: hidden.publicKey, addresses: [formatPeerAddress(relay.address)] };
  await assert.rejects(reader.host.open(target, echo), isUnreachable);
  assert.equal(relay.server.counts().refused.absent, 1);
  await takePlace(t, hidden, relay); // and does not say that it wants circuits from there
  await assert.rejects(reader.host.open(target, echo), isUnreachable);
});

test('places are limited; a node that asks again keeps its own', async (t) => {
  const relay = await startRelay(t, { slotsMax: 1 });
  const [first, second] = [await startNode(t, false), await startNode(t, false)];
  await takePlace(t, first, relay);
  await takePlace(t, first, relay);
  await assert.rejects(takePlace(t, second, relay), (error) => error instanceof RelayRefusal);
  const { reservations, refused } = relay.server.counts();
  assert.deepEqual([reservations, refused.full], [1, 1]);
});

test('a place is free again as soon as who had it is gone', async (t) => {
  const relay = await startRelay(t, { slotsMax: 1 });
  const [first, second] = [await startNode(t, false), await startNode(t, false)];
  await takePlace(t, first, relay);
  await first.host.stop();
  await t.waitFor(() => assert.equal(relay.server.counts().reservations, 0), { timeout: 10_000 });
  await takePlace(t, second, relay);
});

test('octets that are no frames, or no circuit, end the stream', async (t) => {
  const relay = await startRelay(t);
  const node = await startNode(t, false);
  for (const protocol of ['/altnet/relay/1', '/libp2p/circuit/relay/0.2.0/hop']) {
    const stream = await node.host.open(targetOf(relay), protocol);
    await stream.write(Buffer.from([3, 0, 255, 255]));
    await collect(stream.read).catch(() => undefined);
  }
  assert.equal(relay.server.counts().refused.malformed, 2);
});
