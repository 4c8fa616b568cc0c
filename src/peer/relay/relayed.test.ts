/** Real hosts on loopback: a relay, a node that nobody reaches, and those that want to. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { concatBytes } from '../../base/bytes.ts';
import { systemWorld } from '../../base/clock.ts';
import { SigningKey } from '../../identity/key.ts';
import { parseMultiaddr } from '../address.ts';
import { PeerHost } from '../host.ts';
import { formatPeerAddress, type RelayedAddress } from '../peer-address.ts';
import type { ByteStream } from '../stream.ts';
import { RelayLink } from './relay-link.ts';
import { relayProtocol } from './relay-frames.ts';
import { RelayServer, type RelayServerOptions } from './relay-server.ts';

const echo = '/test/echo/1';
const limits: RelayServerOptions = {
  slotsMax: 8,
  connectionBytesMax: 2 ** 30,
  connectionMs: 3_600_000,
};

interface Node {
  readonly host: PeerHost;
  readonly publicKey: Uint8Array;
}

async function startNode(t: TestContext, listens: boolean): Promise<Node> {
  const key = new SigningKey('node', randomBytes(32));
  const listen = listens ? [{ host: '127.0.0.1', port: 0 }] : [];
  const host = new PeerHost({ key, listen });
  await host.start();
  t.after(() => host.stop());
  return { host, publicKey: key.publicKey };
}

async function startRelay(
  t: TestContext,
  options: Partial<RelayServerOptions> = {},
): Promise<Node & { readonly server: RelayServer; readonly address: RelayedAddress }> {
  const node = await startNode(t, true);
  const server = new RelayServer(
    { streams: node.host, world: systemWorld },
    { ...limits, ...options },
  );
  await server.start();
  t.after(() => server.stop());
  const [endpoint] = node.host.addresses().flatMap((text) => parseMultiaddr(text) ?? []);
  assert.ok(endpoint);
  return { ...node, server, address: { endpoint, relayKey: node.publicKey } };
}

/** A link with a place at the relay. */
async function takePlace(t: TestContext, node: Node, relay: Node): Promise<RelayLink> {
  const target = { publicKey: relay.publicKey, addresses: relay.host.addresses() };
  const link = new RelayLink(await node.host.open(target, relayProtocol), systemWorld);
  link.start();
  t.after(() => link.close());
  await link.reserve();
  return link;
}

async function serveEcho(stream: ByteStream): Promise<void> {
  for await (const chunk of stream.read) await stream.write(chunk);
  await stream.close();
}

async function roundTrip(stream: ByteStream, bytes: Uint8Array): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const reading = (async () => {
    let length = 0;
    for await (const chunk of stream.read) {
      chunks.push(chunk);
      if ((length += chunk.length) >= bytes.length) break;
    }
  })();
  await stream.write(bytes);
  await reading;
  return concatBytes(...chunks);
}

test('a node that nobody reaches is reached through a relay', async (t) => {
  const relay = await startRelay(t);
  const [hidden, reader] = [await startNode(t, false), await startNode(t, false)];
  await hidden.host.handle(echo, serveEcho);
  await takePlace(t, hidden, relay);
  hidden.host.useRelays([relay.address]);
  assert.deepEqual(hidden.host.addresses(), [formatPeerAddress(relay.address)]);

  const target = { publicKey: hidden.publicKey, addresses: hidden.host.addresses() };
  const stream = await reader.host.open(target, echo);
  const sent = randomBytes(3 * 1024 * 1024);
  assert.deepEqual(Buffer.from(await roundTrip(stream, sent)), sent);
  await stream.close();
  const ways = reader.host.connections().map(({ isRelayed }) => isRelayed);
  assert.deepEqual(new Set(ways), new Set([false, true]));
  const { reservations, circuits, bytes } = relay.server.counts();
  assert.deepEqual([reservations, circuits], [1, 1]);
  assert.ok(bytes > 2 * sent.length);
});
