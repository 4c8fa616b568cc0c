/** Streams with a connection of their own, to a real host. */
import assert from 'node:assert/strict';
import { randomBytes, X509Certificate } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { privateKeyFromRaw } from '@libp2p/crypto/keys';
import { atEnd } from '../../../test/support/cleanup.ts';
import { type Bytes, concatBytes, toHex } from '../../base/bytes.ts';
import { systemWorld } from '../../base/clock.ts';
import { sha256 } from '../../base/hash.ts';
import { SigningKey } from '../../identity/key.ts';
import { parseMultiaddr } from '../address.ts';
import { Certificates } from '../certificates.ts';
import { PeerHost } from '../host.ts';
import { makeLibp2p } from '../libp2p.ts';
import { SendMemory } from '../send-memory.ts';
import type { ByteStream } from '../stream.ts';
import { dialLone, type LoneTarget } from './dial.ts';
import { LoneStream } from './stream.ts';

const protocol = '/test/lone/1';
const own = new PeerHost({ key: new SigningKey('node', randomBytes(32)), listen: [] });

async function startPeer(
  t: TestContext,
  serve: (stream: ByteStream) => Promise<void>,
): Promise<LoneTarget> {
  const key = new SigningKey('node', randomBytes(32));
  const host = new PeerHost({ key, listen: [{ host: '127.0.0.1', port: 0 }] });
  await host.start();
  atEnd(t, () => host.stop());
  await host.handle(protocol, serve);
  return targetOf(host.addresses(), await host.certificate());
}

function targetOf(addresses: readonly string[], { cert }: { readonly cert: string }): LoneTarget {
  const { raw } = new X509Certificate(cert);
  const endpoints = addresses.flatMap((text) => parseMultiaddr(text) ?? []);
  return { endpoints, proofs: [toHex(sha256(raw))] };
}

interface Received {
  readonly stream: LoneStream;
  readonly octets: () => Bytes;
  /** Something came. */
  readonly came: Promise<void>;
  readonly over: Promise<unknown>;
}

async function receive(target: LoneTarget, asked = protocol): Promise<Received> {
  const signal = AbortSignal.timeout(10_000);
  const tls = await dialLone(target, { certificate: await own.certificate(), signal });
  const parts: Bytes[] = []; // BOUNDED by the test
  const { promise: over, resolve } = Promise.withResolvers<unknown>();
  const came = Promise.withResolvers<void>();
  const stream = new LoneStream(tls, {
    protocol: asked,
    creditBytes: 1024 * 1024,
    take(memory, from, to) {
      parts.push(new Uint8Array(memory.subarray(from, to)));
      came.resolve();
    },
    over: resolve,
  });
  stream.start();
  return { stream, octets: () => concatBytes(...parts), came: came.promise, over };
}

test.before(() => own.start());
test.after(() => own.stop());

test('what the peer sends comes whole, and ends when it ends', async (t) => {
  const sent = randomBytes(600_000);
  let asked: Bytes | undefined;
  const target = await startPeer(t, async (stream) => {
    ({ value: asked } = await stream.read[Symbol.asyncIterator]().next());
    await stream.write(sent);
    await stream.close();
  });
  const { stream, octets, over } = await receive(target);
  stream.write(Uint8Array.of(1, 2, 3));
  assert.equal(await over, undefined);
  assert.deepEqual([octets().length, asked], [sent.length, Uint8Array.of(1, 2, 3)]);
  assert.ok(sent.equals(octets()));
});

test('a peer without the protocol, and one that resets the stream, are failures', async (t) => {
  const target = await startPeer(t, (stream) => Promise.resolve(stream.abort(new Error('no'))));
  assert.ok((await (await receive(target)).over) instanceof Error);
  assert.ok((await (await receive(target, '/test/other/1')).over) instanceof Error);
});

test('a peer with another certificate, and one that is nowhere, are not reached', async (t) => {
  const target = await startPeer(t, (stream) => stream.close());
  await assert.rejects(receive({ ...target, proofs: ['00'.repeat(32)] }), /another peer/);
  await assert.rejects(receive({ ...target, endpoints: [] }), /no usable address/);
});

test('a stream that the peer opens is refused, and the connection goes on', async (t) => {
  const key = new SigningKey('node', randomBytes(32));
  const privateKey = privateKeyFromRaw(concatBytes(key.exportSeed(), key.publicKey));
  const certificates = new Certificates(systemWorld.clock);
  const libp2p = await makeLibp2p({
    privateKey,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    connectionsMax: 10,
    gater: {},
    certificates,
    memory: new SendMemory(),
    circuits: { acceptsFrom: () => false, onReady: () => undefined },
    onPorts: () => undefined,
    isAsked: () => false,
  });
  await libp2p.start();
  atEnd(t, () => libp2p.stop());
  await libp2p.handle(protocol, async (stream, connection) => {
    // So libp2p asks a connection whether it is alive.
    await assert.rejects(connection.newStream('/ipfs/ping/1.0.0'), {
      name: 'UnsupportedProtocolError',
    });
    stream.send(Uint8Array.of(7));
    await stream.close();
  });
  const addresses = libp2p.getMultiaddrs().map(String);
  const target = targetOf(addresses, await certificates.own(privateKey));
  const { octets, over } = await receive(target);
  assert.equal(await over, undefined);
  assert.deepEqual(octets(), Uint8Array.of(7));
});

test('whoever closes or aborts it hears that it is over, and the peer notices', async (t) => {
  let noticed = Promise.withResolvers<void>();
  const target = await startPeer(t, async (stream) => {
    await stream.write(Uint8Array.of(1));
    const octets = stream.read[Symbol.asyncIterator]();
    await octets.next().catch(() => undefined);
    noticed.resolve();
  });
  for (const end of [(s: LoneStream) => s.close(), (s: LoneStream) => s.abort(new Error('no'))]) {
    const { stream, came, over } = await receive(target);
    await came;
    end(stream);
    await over;
    await noticed.promise;
    noticed = Promise.withResolvers<void>();
  }
});
