import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { randomBytes } from 'node:crypto';
import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { type Endpoint, scopeOf } from '../base/address.ts';
import { concatBytes, equalBytes } from '../base/bytes.ts';
import { AltNetError, isAltNetError } from '../base/errors.ts';
import { SigningKey } from '../identity/key.ts';
import { parseMultiaddr } from './address.ts';
import { formatPeerAddress } from './peer-address.ts';
import { PeerHost, type PeerTarget } from './host.ts';
import type { ByteStream } from './stream.ts';

const echo = '/test/echo/1';

async function startHost(t: TestContext): Promise<PeerHost & { publicKey: Uint8Array }> {
  const key = new SigningKey('node', randomBytes(32));
  const host = new PeerHost({ key, listen: [{ host: '127.0.0.1', port: 0 }] });
  await host.start();
  t.after(() => host.stop());
  return Object.assign(host, { publicKey: key.publicKey });
}

function targetOf(host: PeerHost & { publicKey: Uint8Array }): PeerTarget {
  return { publicKey: host.publicKey, addresses: host.addresses() };
}

async function readAll(stream: ByteStream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream.read) chunks.push(chunk);
  return concatBytes(...chunks);
}

async function serveEcho(stream: ByteStream): Promise<void> {
  for await (const chunk of stream.read) await stream.write(chunk);
  await stream.close();
}

test('a stream carries bytes both ways and names the peer', async (t) => {
  const [a, b] = [await startHost(t), await startHost(t)];
  const remotes: Uint8Array[] = [];
  await b.handle(echo, async (stream) => {
    remotes.push(stream.remote);
    const got: Uint8Array[] = [];
    for await (const chunk of stream.read) {
      got.push(chunk);
      if (concatBytes(...got).length === 11) break;
    }
    await stream.write(concatBytes(...got));
    await stream.close();
  });
  const stream = await a.open(targetOf(b), echo);
  await stream.write(Buffer.from('hello there'));
  assert.equal(Buffer.from(await readAll(stream)).toString(), 'hello there');
  await stream.close();
  assert.ok(remotes[0] && equalBytes(remotes[0], a.publicKey));
  assert.ok(equalBytes(stream.remote, b.publicKey));
  assert.equal(a.connections().length, 1);
});

test('a reader that stands still stops the writer', async (t) => {
  const [a, b] = [await startHost(t), await startHost(t)];
  const { promise: release, resolve: go } = Promise.withResolvers<void>();
  const { promise: received, resolve: done } = Promise.withResolvers<number>();
  await b.handle(echo, async (stream) => {
    await release;
    let bytes = 0;
    for await (const chunk of stream.read) {
      bytes += chunk.length;
      if (bytes >= 64 * 1024 * 1024) break;
    }
    done(bytes);
    await stream.close();
  });
  const stream = await a.open(targetOf(b), echo);
  const piece = new Uint8Array(256 * 1024);
  let written = 0;
  const writing = (async () => {
    for (; written < 64 * 1024 * 1024; written += piece.length) await stream.write(piece);
  })();
  let before = -1;
  while (before !== written) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.ok(written < 32 * 1024 * 1024, `${written} bytes went out although nobody read`);
  go();
  await writing;
  assert.ok((await received) >= 64 * 1024 * 1024);
  await stream.close();
});

test('a slow reader gets everything', async (t) => {
  const [a, b] = [await startHost(t), await startHost(t)];
  const bytes = 48 * 1024 * 1024;
  await b.handle(echo, async (stream) => {
    const piece = new Uint8Array(256 * 1024);
    for (let sent = 0; sent < bytes; sent += piece.length) await stream.write(piece);
    await stream.close();
  });
  const stream = await a.open(targetOf(b), echo);
  await stream.write(Uint8Array.of(1));
  let got = 0;
  let pauseAt = 0;
  for await (const chunk of stream.read) {
    got += chunk.length;
    if (got < pauseAt) continue;
    pauseAt = got + 3 * 1024 * 1024; // more than a paused stream keeps, so that it fills up
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.equal(got, bytes);
  await stream.close();
});

test('abort rejects the reader with its reason and the peer sees the stream fall', async (t) => {
  const [a, b] = [await startHost(t), await startHost(t)];
  const { promise: fallen, resolve } = Promise.withResolvers<unknown>();
  const { promise: accepted, resolve: accept } = Promise.withResolvers<void>();
  await b.handle(echo, async (stream) => {
    accept();
    await readAll(stream).then(() => resolve('ended'), resolve);
  });
  const stream = await a.open(targetOf(b), echo);
  await stream.write(Buffer.from('x'));
  await accepted;
  const reading = readAll(stream);
  const reason = new AltNetError('CONTENT_BAD', { root: 'r', why: 'test' });
  stream.abort(reason);
  await assert.rejects(reading, reason);
  assert.ok(isAltNetError(await fallen, 'UNREACHABLE'));
  await assert.rejects(stream.write(Buffer.from('y')));
});

test('a stopped peer ends the streams of the other', async (t) => {
  const [a, b] = [await startHost(t), await startHost(t)];
  await b.handle(echo, serveEcho);
  const stream = await a.open(targetOf(b), echo);
  const reading = readAll(stream).catch((error: unknown) => error);
  await b.stop();
  await b.stop();
  await reading;
  await assert.rejects(a.open(targetOf(b), echo), { code: 'UNREACHABLE' });
});

test('another key at the address is WRONG_PEER', async (t) => {
  const [a, b] = [await startHost(t), await startHost(t)];
  const other = new SigningKey('node', randomBytes(32));
  const target = { publicKey: other.publicKey, addresses: b.addresses() };
  await assert.rejects(a.open(target, echo), { code: 'WRONG_PEER' });
});

test('no listener, no usable address, no key, an aborted signal', async (t) => {
  const a = await startHost(t);
  const { publicKey } = new SigningKey('node', randomBytes(32));
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  const closed = { publicKey, addresses: [`/ip4/127.0.0.1/tcp/${port}`] };
  await assert.rejects(a.open(closed, echo), { code: 'UNREACHABLE' });
  const named = { publicKey, addresses: ['/dns4/example.test/tcp/1'] };
  await assert.rejects(a.open(named, echo), { code: 'UNREACHABLE' });
  const keyless = { publicKey: new Uint8Array(5), addresses: closed.addresses };
  await assert.rejects(a.open(keyless, echo), { code: 'UNREACHABLE' });
  const signal = AbortSignal.abort(new AltNetError('ABORTED', {}));
  await assert.rejects(a.open(closed, echo, { signal }), { code: 'ABORTED' });
});

test('a taken port rejects start', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const key = new SigningKey('node', randomBytes(32));
  const host = new PeerHost({ key, listen: [{ host: '127.0.0.1', port }] });
  await assert.rejects(host.start(), { code: 'PORT_TAKEN' });
  await host.stop();
  const foreign = new PeerHost({ key, listen: [{ host: '192.0.2.1', port: 1 }] });
  await assert.rejects(foreign.start(), { code: 'BIND_FAILED' });
  const named = new PeerHost({ key, listen: [{ host: 'localhost', port: 1 }] });
  await assert.rejects(named.start(), { code: 'BAD_ADDRESS' });
});

test('IPv4 and IPv6 share a port number and are both announced', async (t) => {
  const key = new SigningKey('node', randomBytes(32));
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const listen = [
    { host: '0.0.0.0', port },
    { host: '::', port },
  ];
  const host = new PeerHost({ key, listen });
  await host.start();
  t.after(() => host.stop());
  const addresses = host.addresses();
  const isAbroad = addresses.some((text) => isGlobal(text));
  assert.equal(!addresses.includes(`/ip4/127.0.0.1/tcp/${port}`), isAbroad, addresses.join());
  assert.ok(addresses.every((text) => !text.includes('0.0.0.0')));
});

test('a connection that nobody uses is closed', async (t) => {
  const key = new SigningKey('node', randomBytes(32));
  const a = new PeerHost({ key, listen: [], idleMs: 40 });
  await a.start();
  t.after(() => a.stop());
  const b = await startHost(t);
  await b.handle(echo, serveEcho);
  const stream = await a.open(targetOf(b), echo);
  await stream.write(Buffer.from('x'));
  await stream.close();
  while (a.connections().length > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(a.addresses(), [], 'it listens nowhere');
  await (await a.open(targetOf(b), echo)).close();
});

test('Noise is accepted where a peer has no TLS', async (t) => {
  const b = await startHost(t);
  await b.handle(echo, serveEcho);
  const other = await createLibp2p({
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
  });
  t.after(() => other.stop());
  const [address = ''] = b.addresses();
  const connection = await other.dial(multiaddr(address));
  assert.match(connection.encryption ?? '', /noise/);
  const stream = await connection.newStream(echo);
  const answered = new Promise<string>((resolve) => {
    stream.addEventListener('message', ({ data }) =>
      resolve(Buffer.from(data.subarray()).toString()),
    );
  });
  stream.send(Buffer.from('over noise'));
  assert.equal(await answered, 'over noise');
});

function isGlobal(address: string): boolean {
  const endpoint = parseMultiaddr(address);
  return endpoint !== undefined && scopeOf(endpoint.ip) === 'global';
}

test('what others see is announced; the addresses at home then are nobody’s business', async (t) => {
  let external: Endpoint | undefined = { ip: Uint8Array.of(8, 8, 8, 8), port: 9000 };
  const key = new SigningKey('node', randomBytes(32));
  const listen = [{ host: '127.0.0.1', port: 0 }];
  const host = new PeerHost({ key, listen, external: () => external });
  await host.start();
  t.after(() => host.stop());
  assert.deepEqual(host.addresses(), ['/ip4/8.8.8.8/tcp/9000']);
  external = undefined;
  assert.equal(host.addresses().length, 1);
  const relayKey = key.publicKey;
  const near = { endpoint: { ip: Uint8Array.of(127, 0, 0, 1), port: 9000 }, relayKey };
  host.useRelays([near]);
  assert.equal(host.addresses().length, 2, 'a relay at home is no way into the Internet');
  const far = { endpoint: { ip: Uint8Array.of(45, 0, 0, 1), port: 9000 }, relayKey };
  host.useRelays([far]);
  assert.deepEqual(host.addresses(), [formatPeerAddress(far)]);
});

test('a neighbour is reached at home, whatever its records say', async (t) => {
  const b = await startHost(t);
  await b.handle(echo, serveEcho);
  const [at] = b.addresses().flatMap((text) => parseMultiaddr(text) ?? []);
  const options = { key: new SigningKey('node', randomBytes(32)), listen: [] };
  const a = new PeerHost({ ...options, nearby: () => at });
  await a.start();
  t.after(() => a.stop());
  const target = { publicKey: b.publicKey, addresses: ['/ip4/127.0.0.1/tcp/1'] };
  await assert.rejects(a.open({ ...target, addresses: [] }, echo), 'nobody is to be dialled');
  await (await a.open(target, echo)).close();
  assert.equal(a.connections()[0]?.isRelayed, false);
});

test('another connection to a peer goes where it surely is, and to no other host', async (t) => {
  const [a, b] = [await startHost(t), await startHost(t)];
  await b.handle(echo, serveEcho);
  const near = [...b.addresses(), '/ip4/127.0.0.1/tcp/9'];
  const target = { ...targetOf(b), addresses: [...near, '/ip4/45.0.0.1/tcp/9'] };
  assert.deepEqual(a.provenAddresses(target), []);
  const stream = await a.open(target, echo);
  assert.deepEqual(a.provenAddresses(target), near);
  assert.deepEqual(a.provenAddresses({ ...target, addresses: [] }), b.addresses());
  // It came from a port on which it does not listen.
  await t.waitFor(() => assert.equal(b.connections().length, 1));
  const back = { ...targetOf(a), addresses: ['/ip4/45.0.0.1/tcp/9', ...a.addresses()] };
  assert.deepEqual(b.provenAddresses(back), a.addresses());
  await stream.close();
});
