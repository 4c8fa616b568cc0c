/** Who is met over TLS: other programs that speak libp2p, and peers that cannot prove a node key. */
import assert from 'node:assert/strict';
import { randomBytes, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { generateKeyPair } from '@libp2p/crypto/keys';
import type { Libp2p } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { tls } from '@libp2p/tls';
import { generateCertificate } from '@libp2p/tls/utils';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { atEnd } from '../../test/support/cleanup.ts';
import type { Bytes } from '../base/bytes.ts';
import { SigningKey } from '../identity/key.ts';
import { parseMultiaddr } from './address.ts';
import type { Certificate } from './certificates.ts';
import { greeting } from './greeting.ts';
import { PeerHost } from './host.ts';
import type { ByteStream } from './stream.ts';

const echo = '/test/echo/1';

async function serveEcho(stream: ByteStream): Promise<void> {
  for await (const chunk of stream.read) await stream.write(chunk);
  await stream.close();
}

async function startHost(t: TestContext): Promise<{ host: PeerHost; publicKey: Bytes }> {
  const key = new SigningKey('node', randomBytes(32));
  const host = new PeerHost({ key, listen: [{ host: '127.0.0.1', port: 0 }] });
  await host.start();
  atEnd(t, () => host.stop());
  await host.handle(echo, serveEcho);
  return { host, publicKey: key.publicKey };
}

/** A program that makes a new certificate for every connection. */
async function startOther(t: TestContext): Promise<Libp2p> {
  const other = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [tls()],
    streamMuxers: [yamux()],
  });
  atEnd(t, () => other.stop());
  return other;
}

/** A TLS handshake with `host`; `shown` is its certificate. */
async function shake(
  t: TestContext,
  host: PeerHost,
  own: ConnectionOptions,
): Promise<{ shown: Bytes | undefined; socket: TLSSocket }> {
  const { port = 0 } = parseMultiaddr(host.addresses()[0] ?? '') ?? {};
  const raw = connectTcp({ host: '127.0.0.1', port });
  raw.on('error', () => undefined); // a reset is one way to be refused
  const hello = greeting('/tls/1.0.0');
  raw.write(hello);
  for (let left = hello.length; left > 0;) {
    const answer: unknown = raw.read(left);
    if (answer instanceof Uint8Array) left -= answer.length;
    else await once(raw, 'readable');
  }
  const socket = connectTls({ ...own, socket: raw, rejectUnauthorized: false });
  atEnd(t, () => socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return { shown: socket.getPeerX509Certificate()?.raw, socket };
}

/** One octet of what it says is another: its own signature no longer holds. */
function forged({ cert, key }: Certificate): Certificate {
  const raw = Uint8Array.from(new X509Certificate(cert).raw);
  raw[20] = (raw[20] ?? 0) ^ 1; // in the serial number
  const lines = Buffer.from(raw).toString('base64').replaceAll(/.{64}/g, '$&\n');
  return { cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`, key };
}

test('a program with a certificate for each connection is understood, whoever dials', async (t) => {
  const [{ host, publicKey }, other] = [await startHost(t), await startOther(t)];
  const got = Promise.withResolvers<string>();
  await other.handle('/test/other/1', (stream) => {
    stream.addEventListener('message', ({ data }) => {
      got.resolve(Buffer.from(data.subarray()).toString());
    });
  });
  const inbound = await other.dial(multiaddr(host.addresses()[0]));
  assert.deepEqual(inbound.remotePeer.publicKey?.raw, publicKey);
  assert.equal(inbound.multiplexer, '/yamux/1.0.0');
  await inbound.close();
  assert.equal(other.peerId.type, 'Ed25519');
  const stream = await host.open(
    {
      publicKey: other.peerId.publicKey?.raw ?? new Uint8Array(),
      addresses: other.getMultiaddrs().map(String),
    },
    '/test/other/1',
  );
  await stream.write(Buffer.from('hello'));
  assert.equal(await got.promise, 'hello');
});

test('a host shows one certificate on all connections, and no other host shows it', async (t) => {
  const [a, b] = [await startHost(t), await startHost(t)];
  const own = await generateCertificate(await generateKeyPair('Ed25519'));
  const shown: (Bytes | undefined)[] = [];
  for (const { host } of [a, a, b]) {
    const { shown: one, socket } = await shake(t, host, own);
    shown.push(one);
    socket.destroy();
  }
  assert.ok(shown[0]);
  assert.deepEqual(shown[0], shown[1]);
  assert.notDeepEqual(shown[0], shown[2]);
});

test('no session of one connection is taken up by another', async (t) => {
  const { host } = await startHost(t);
  const own = await generateCertificate(await generateKeyPair('Ed25519'));
  const { socket } = await shake(t, host, own);
  socket.resume();
  const [session] = (await once(socket, 'session')) as [Buffer];
  const again = await shake(t, host, { ...own, session });
  assert.equal(again.socket.isSessionReused(), false);
});

test('who shows no certificate, or a forged one, is sent away', async (t) => {
  const { host } = await startHost(t);
  const own = await generateCertificate(await generateKeyPair('Ed25519'));
  for (const how of [{}, forged(own)]) {
    const { socket } = await shake(t, host, how);
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    socket.once('close', () => resolve());
    socket.resume();
    await closed;
  }
  assert.deepEqual(host.connections(), []);
});
