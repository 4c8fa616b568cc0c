/** Peers that break the rules while a connection or a stream is opened, and what is left of it. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { createLibp2p } from 'libp2p';
import { atEnd } from '../../test/support/cleanup.ts';
import type { Bytes } from '../base/bytes.ts';
import { isAltNetError } from '../base/errors.ts';
import { SigningKey } from '../identity/key.ts';
import { greeting } from './greeting.ts';
import { PeerHost, type PeerTarget } from './host.ts';
import type { ByteStream } from './stream.ts';

const echo = '/test/echo/1';
const tlsAnswer = greeting('/tls/1.0.0');

interface Host {
  readonly host: PeerHost;
  readonly target: PeerTarget;
}

async function startHost(t: TestContext): Promise<Host> {
  const key = new SigningKey('node', randomBytes(32));
  const host = new PeerHost({ key, listen: [{ host: '127.0.0.1', port: 0 }] });
  await host.start();
  atEnd(t, () => host.stop());
  return { host, target: { publicKey: key.publicKey, addresses: host.addresses() } };
}

async function serveEcho(stream: ByteStream): Promise<void> {
  for await (const chunk of stream.read) await stream.write(chunk);
  await stream.close();
}

function someKey(): Bytes {
  return new SigningKey('node', randomBytes(32)).publicKey;
}

/** A TCP server that does as it likes; `open` are its sockets that nobody has closed. */
async function startFake(
  t: TestContext,
  onSocket: (socket: Socket) => void,
): Promise<{ target: PeerTarget; open: Set<Socket> }> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => undefined);
    socket.resume();
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, () => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { target: { publicKey: someKey(), addresses: [`/ip4/127.0.0.1/tcp/${port}`] }, open };
}

async function echoOnce(stream: ByteStream, text: string): Promise<string> {
  await stream.write(Buffer.from(text));
  let got = '';
  for await (const chunk of stream.read) {
    got += Buffer.from(chunk).toString();
    if (got.length >= text.length) break;
  }
  return got;
}

test('whoever is said to live where another peer does cannot end the connection to that one', async (t) => {
  const [a, b] = [await startHost(t), await startHost(t)];
  await b.host.handle(echo, serveEcho);
  const stream = await a.host.open(b.target, echo);
  assert.equal(await echoOnce(stream, 'before'), 'before');
  const lie = { publicKey: someKey(), addresses: b.target.addresses };
  for (let i = 0; i < 3; i++) {
    await assert.rejects(a.host.open(lie, echo), { code: 'WRONG_PEER' });
  }
  assert.equal(await echoOnce(stream, 'after'), 'after');
});

test('two who dial one address at the same time, one for another key: the right one is served', async (t) => {
  const [a, b] = [await startHost(t), await startHost(t)];
  await b.host.handle(echo, serveEcho);
  const lie = { publicKey: someKey(), addresses: b.target.addresses };
  const wrong = assert.rejects(a.host.open(lie, echo), { code: 'WRONG_PEER' });
  const stream = await a.host.open(b.target, echo);
  await wrong;
  assert.equal(await echoOnce(stream, 'still there'), 'still there');
});

const answers: Readonly<Record<string, (socket: Socket) => void>> = {
  na: (socket) => socket.write(Buffer.from('\x13/multistream/1.0.0\n\x03na\n', 'latin1')),
  garbage: (socket) => socket.write(randomBytes(400)),
  'another protocol': (socket) => socket.write(greeting('/noise')),
  'tls, then garbage': (socket) => socket.write(Buffer.concat([tlsAnswer, randomBytes(400)])),
  'half an answer and the end': (socket) => socket.end(tlsAnswer.subarray(0, 20)),
  'a reset': (socket) => socket.resetAndDestroy(),
  'tls, then the end': (socket) => socket.end(tlsAnswer),
  'tls, then a reset': (socket) => void socket.write(tlsAnswer, () => socket.resetAndDestroy()),
};
/** Those that are waited for until patience ends. */
const silent: typeof answers = {
  nothing: () => undefined,
  'tls, then nothing': (socket) => socket.write(tlsAnswer),
};

async function failsClearly(t: TestContext, answer: (socket: Socket) => void): Promise<void> {
  const a = await startHost(t);
  const fake = await startFake(t, answer);
  await assert.rejects(
    a.host.open(fake.target, echo),
    (error) => isAltNetError(error, 'UNREACHABLE') || isAltNetError(error, 'TIMEOUT'),
  );
  while (fake.open.size > 0) await delay(5, undefined, { signal: t.signal });
  assert.deepEqual(a.host.connections(), []);
}

for (const [what, answer] of Object.entries(answers)) {
  test(`a peer that answers with ${what}: a clear error, and nothing left`, (t) =>
    failsClearly(t, answer));
}

test(`peers that answer with ${Object.keys(silent).join(' or ')}: the same`, async (t) => {
  await Promise.all(Object.values(silent).map((answer) => failsClearly(t, answer)));
});

/** Passes on what both sides send, `split` into pieces on the way back. */
function relayTo(port: number, split: (bytes: Buffer) => readonly Buffer[]): (s: Socket) => void {
  return (socket) => {
    const other = createConnection({ port, host: '127.0.0.1', noDelay: true });
    socket.setNoDelay(true);
    other.on('error', () => socket.destroy());
    socket.on('data', (bytes) => other.write(bytes));
    socket.on('close', () => other.destroy());
    other.on('data', (bytes) => {
      for (const piece of split(bytes)) socket.write(piece);
    });
    other.on('close', () => socket.destroy());
  };
}

function inOctets(bytes: Buffer): Buffer[] {
  return [...bytes].map((octet) => Buffer.of(octet));
}

test('an answer in single octets is understood', async (t) => {
  const [a, b] = [await startHost(t), await startHost(t)];
  await b.host.handle(echo, serveEcho);
  const port = Number(b.target.addresses[0]?.split('/').at(-1));
  const { target } = await startFake(t, relayTo(port, inOctets));
  const at = { publicKey: b.target.publicKey, addresses: target.addresses };
  assert.equal(await echoOnce(await a.host.open(at, echo), 'in pieces'), 'in pieces');
});

test('a peer that speaks only Noise is left in good order', async (t) => {
  const a = await startHost(t);
  const other = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
  });
  atEnd(t, () => other.stop());
  const addresses = other.getMultiaddrs().map((one) => one.decapsulateCode(421).toString());
  await assert.rejects(a.host.open({ publicKey: someKey(), addresses }, echo), {
    code: 'UNREACHABLE',
  });
  while (other.getConnections().length > 0) await delay(5, undefined, { signal: t.signal });
  assert.deepEqual(a.host.connections(), []);
});

test('a stream of a protocol that the peer does not have fails where it is read', async (t) => {
  const [a, b] = [await startHost(t), await startHost(t)];
  await b.host.handle(echo, serveEcho);
  for (let i = 0; i < 20; i++) {
    const stream = await a.host.open(b.target, '/test/unknown/1');
    await stream.write(Buffer.from('x'));
    await assert.rejects(echoOnce(stream, 'x'), { code: 'UNREACHABLE' });
  }
  const busy = (): number => a.host.connections().reduce((sum, { streams }) => sum + streams, 0);
  while (busy() > 0) await delay(5, undefined, { signal: t.signal });
  assert.equal(await echoOnce(await a.host.open(b.target, echo), 'well'), 'well');
});

test('peers that dial each other at the same time both get through', async (t) => {
  const [a, b] = [await startHost(t), await startHost(t)];
  for (const { host } of [a, b]) await host.handle(echo, serveEcho);
  const texts = await Promise.all([
    a.host.open(b.target, echo).then((stream) => echoOnce(stream, 'from a')),
    b.host.open(a.target, echo).then((stream) => echoOnce(stream, 'from b')),
  ]);
  assert.deepEqual(texts, ['from a', 'from b']);
});
