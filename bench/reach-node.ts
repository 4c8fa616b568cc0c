/**
 * A process of reach.ts and of tests, on a host of its own: a relay, a node that only the relay
 * reaches, or one that reads from it. It prints one line of JSON for whatever it has to tell.
 *
 *   reach-node.ts relay ADDRESS            the relay at that address
 *   reach-node.ts serve RELAY…             serves octets, through these relays
 *   reach-node.ts read BYTES PUBLIC RELAY… reads so many, again and again, and tells how
 *
 *   reach-node.ts read-relayed …           the same, and stays at the relay
 *   reach-node.ts tcp-serve BYTES          sends so many to whoever connects, over plain TCP
 *   reach-node.ts tcp-read ADDRESS         reads them, again and again, and tells how long it took
 *
 * RELAY is "ip:port#<public key>".
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import process from 'node:process';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { parseEndpoint, type Endpoint } from '../src/base/address.ts';
import { parseHex, toHex } from '../src/base/bytes.ts';
import { systemWorld } from '../src/base/clock.ts';
import { silentLogger } from '../src/base/logger.ts';
import { SigningKey } from '../src/identity/key.ts';
import { PeerHost } from '../src/peer/host.ts';
import { formatPeerAddress, type RelayedAddress } from '../src/peer/peer-address.ts';
import { Punching } from '../src/peer/punch/punching.ts';
import { ReachServer } from '../src/peer/reach/reach-server.ts';
import { relayProtocol } from '../src/peer/relay/relay-frames.ts';
import { RelayLink } from '../src/peer/relay/relay-link.ts';
import { RelayServer } from '../src/peer/relay/relay-server.ts';
import type { ByteStream } from '../src/peer/stream.ts';

const protocol = '/bench/octets/1';
const piece = new Uint8Array(256 * 1024);
const port = 9000;
const tcpPort = 9001;

const [, , role = '', ...args] = process.argv;
const key = new SigningKey('node', randomBytes(32));
const say = (what: Record<string, unknown>): void => {
  process.stdout.write(`${JSON.stringify(what)}\n`);
};

if (role === 'relay') await relay(args[0] ?? '');
else if (role === 'serve') await serve(args.map(parseRelay));
else if (role === 'read' || role === 'read-relayed') await read(args);
else if (role === 'tcp-serve') serveTcp(Number(args[0]));
else if (role === 'tcp-read') await readTcp(args[0] ?? '');
else throw new Error(`no such role: ${role}`);

async function relay(address: string): Promise<void> {
  const host = new PeerHost({ key, listen: [{ host: '0.0.0.0', port }] });
  await host.start();
  await new ReachServer({ streams: host, ports: () => host.ports, world: systemWorld }).start();
  const limits = { slotsMax: 8, connectionBytesMax: 2 ** 40, connectionMs: 3_600_000 };
  await new RelayServer({ streams: host, world: systemWorld }, limits).start();
  say({ relay: `${address}:${port}#${toHex(key.publicKey)}` });
}

async function startPunching(relays: readonly RelayedAddress[]): Promise<{
  readonly host: PeerHost;
  readonly punching: Punching;
}> {
  const host = new PeerHost({ key, listen: [] });
  await host.start();
  const observers = (): { publicKey: Uint8Array; endpoint: Endpoint }[] =>
    relays.map(({ relayKey, endpoint }) => ({ publicKey: relayKey, endpoint }));
  const punching = new Punching({ host, observers, world: systemWorld, log: silentLogger });
  if (role !== 'read-relayed') await punching.start();
  return { host, punching };
}

async function serve(relays: readonly RelayedAddress[]): Promise<void> {
  const { host, punching } = await startPunching(relays);
  await host.handle(protocol, sendAsAsked);
  for (const each of relays) {
    const target = {
      publicKey: each.relayKey,
      addresses: [formatPeerAddress({ endpoint: each.endpoint })],
    };
    const link = new RelayLink(await host.open(target, relayProtocol), systemWorld);
    link.start();
    await link.reserve();
  }
  host.useRelays(relays);
  say({ publicKey: toHex(key.publicKey) });
  process.on('SIGUSR2', () => say({ ...punching.counts(), nat: punching.natKind() }));
}

async function sendAsAsked(stream: ByteStream): Promise<void> {
  for await (const chunk of stream.read) {
    let left = Number(new TextDecoder().decode(chunk));
    for (; left > 0; left -= piece.length) {
      await stream.write(piece.subarray(0, Math.min(left, piece.length)));
    }
    break;
  }
  await stream.close();
}

async function read([count = '', publicText = '', ...relayTexts]: string[]): Promise<void> {
  const relays = relayTexts.map(parseRelay);
  const { host, punching } = await startPunching(relays);
  const target = {
    publicKey: parseHex(publicText, 32) ?? new Uint8Array(),
    addresses: relays.map(formatPeerAddress),
  };
  for (;;) {
    const begunMs = performance.now();
    const { stream, origin } = await host.openStream(target, protocol);
    await stream.write(new TextEncoder().encode(count));
    let bytes = 0;
    for await (const chunk of stream.read) bytes += chunk.length;
    const ms = performance.now() - begunMs;
    say({
      bytes,
      ms: Math.round(ms),
      isDirect: !origin.address.includes('p2p-circuit'),
      ...punching.counts(),
      nat: punching.natKind(),
    });
    await stream.close();
    await pause(100);
  }
}

function serveTcp(bytes: number): void {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    Readable.from(pieces(bytes)).pipe(socket);
  });
  server.listen(tcpPort, '0.0.0.0');
}

function* pieces(bytes: number): Generator<Uint8Array, void, undefined> {
  for (let left = bytes; left > 0; left -= piece.length) {
    yield piece.subarray(0, Math.min(left, piece.length));
  }
}

async function readTcp(host: string): Promise<void> {
  for (;;) {
    const begunMs = performance.now();
    const socket = connect(tcpPort, host);
    let bytes = 0;
    socket.on('data', (chunk) => (bytes += chunk.length));
    // Not there yet: the next one will be.
    await once(socket, 'close').catch(() => undefined);
    if (bytes > 0) say({ bytes, ms: Math.round(performance.now() - begunMs) });
    await pause(100);
  }
}

function parseRelay(text: string): RelayedAddress {
  const [at = '', publicText = ''] = text.split('#');
  const endpoint = parseEndpoint(at);
  const relayKey = parseHex(publicText, 32);
  if (!endpoint || !relayKey) throw new Error(`no relay: ${text}`);
  return { endpoint, relayKey };
}
