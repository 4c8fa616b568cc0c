/** Real hosts on loopback: relays, nodes that nobody reaches, and those that want to. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { concatBytes } from '../../src/base/bytes.ts';
import { systemWorld } from '../../src/base/clock.ts';
import { SigningKey } from '../../src/identity/key.ts';
import { parseMultiaddr } from '../../src/peer/address.ts';
import { PeerHost, type PeerTarget } from '../../src/peer/host.ts';
import type { RelayedAddress } from '../../src/peer/peer-address.ts';
import { relayProtocol } from '../../src/peer/relay/relay-frames.ts';
import { RelayLink } from '../../src/peer/relay/relay-link.ts';
import { RelayServer, type RelayServerOptions } from '../../src/peer/relay/relay-server.ts';
import type { ByteStream } from '../../src/peer/stream.ts';

/** Sends back what comes. */
export const echo: string = '/test/echo/1';
const limits: RelayServerOptions = {
  slotsMax: 8,
  connectionBytesMax: 2 ** 30,
  connectionMs: 3_600_000,
};

export interface RelayTestNode {
  readonly host: PeerHost;
  readonly publicKey: Uint8Array;
}

export interface TestRelay extends RelayTestNode {
  readonly server: RelayServer;
  readonly address: RelayedAddress;
}

export async function startNode(t: TestContext, listens: boolean): Promise<RelayTestNode> {
  const key = new SigningKey('node', randomBytes(32));
  const listen = listens ? [{ host: '127.0.0.1', port: 0 }] : [];
  const host = new PeerHost({ key, listen });
  await host.start();
  t.after(() => host.stop());
  return { host, publicKey: key.publicKey };
}

export async function startRelay(
  t: TestContext,
  options: Partial<RelayServerOptions> = {},
): Promise<TestRelay> {
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
export async function takePlace(
  t: TestContext,
  node: RelayTestNode,
  relay: RelayTestNode,
): Promise<RelayLink> {
  const target = { publicKey: relay.publicKey, addresses: relay.host.addresses() };
  const link = new RelayLink(await node.host.open(target, relayProtocol), systemWorld);
  link.start();
  t.after(() => link.close());
  await link.reserve();
  return link;
}

export async function serveEcho(stream: ByteStream): Promise<void> {
  for await (const chunk of stream.read) await stream.write(chunk);
  await stream.close();
}

export async function roundTrip(stream: ByteStream, bytes: Uint8Array): Promise<Uint8Array> {
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

/** How others reach it. */
export function targetOf({ host, publicKey }: RelayTestNode): PeerTarget {
  return { publicKey, addresses: host.addresses() };
}

/** A node that nobody reaches, with a place at each of these relays, where it echoes. */
export async function hiddenBehind(
  t: TestContext,
  relays: readonly TestRelay[],
): Promise<RelayTestNode> {
  const hidden = await startNode(t, false);
  await hidden.host.handle(echo, serveEcho);
  for (const relay of relays) await takePlace(t, hidden, relay);
  hidden.host.useRelays(relays.map(({ address }) => address));
  return hidden;
}
