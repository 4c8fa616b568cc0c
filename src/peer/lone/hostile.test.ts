/** Peers that do as they like once they have proven who they are: one end each, and no exception. */
import assert from 'node:assert/strict';
import { randomBytes, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { TLSSocket } from 'node:tls';
import { privateKeyFromRaw } from '@libp2p/crypto/keys';
import { atEnd } from '../../../test/support/cleanup.ts';
import { yamuxHead as head } from '../../../test/support/yamux-head.ts';
import { type Bytes, concatBytes, toHex, utf8 } from '../../base/bytes.ts';
import { systemWorld } from '../../base/clock.ts';
import { sha256 } from '../../base/hash.ts';
import { SigningKey } from '../../identity/key.ts';
import { type Certificate, Certificates } from '../certificates.ts';
import { greeting } from '../greeting.ts';
import { dialLone, type LoneTarget } from './dial.ts';
import { LoneStream } from './stream.ts';

const protocol = '/test/lone/1';
const [data, window, ping, goAway] = [0, 1, 2, 3];
const [syn, fin] = [1, 4];

function makeCertificate(): Promise<Certificate> {
  const key = new SigningKey('node', randomBytes(32));
  const privateKey = privateKeyFromRaw(concatBytes(key.exportSeed(), key.publicKey));
  return new Certificates(systemWorld.clock).own(privateKey);
}

const [own, theirs] = await Promise.all([makeCertificate(), makeCertificate()]);

interface Connected {
  readonly tls: TLSSocket;
  readonly raw: Socket;
}

/** Answers the question for TLS with `answer`, and is handed what comes of that. */
async function startPeer(
  t: TestContext,
  onTls: (connected: Connected) => void,
  { answer = greeting('/tls/1.0.0'), names = ['/yamux/1.0.0'] } = {},
): Promise<LoneTarget> {
  const open = new Set<Socket>(); // BOUNDED by the test
  const server = createServer((raw) => {
    open.add(raw);
    raw.on('error', () => undefined);
    raw.once('data', () => {
      raw.pause();
      raw.write(answer);
      const how = { ...theirs, isServer: true, requestCert: true, rejectUnauthorized: false };
      const tls = new TLSSocket(raw, { ...how, ALPNProtocols: names });
      tls.on('error', () => undefined);
      tls.on('secure', () => onTls({ tls, raw }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, () => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const proofs = [toHex(sha256(new X509Certificate(theirs.cert).raw))];
  return { endpoints: [{ ip: Uint8Array.of(127, 0, 0, 1), port }], proofs };
}

function frame(octets: Bytes, flags = 0): Bytes {
  return concatBytes(head(data, flags, 1, octets.length), octets);
}

const hello = frame(greeting(protocol));

interface Heard {
  readonly text: string;
  readonly ends: readonly unknown[];
  /** Of the socket. */
  readonly failures: readonly unknown[];
}

/** Until the connection is gone; `writes`: what it writes once something came. */
async function receive(target: LoneTarget, writes: readonly Bytes[] = []): Promise<Heard> {
  const tls = await dialLone(target, { certificate: own, signal: AbortSignal.timeout(10_000) });
  const ends: unknown[] = []; // BOUNDED by the test
  let text = '';
  const closed = Promise.withResolvers<void>();
  const failures: unknown[] = []; // BOUNDED by the test
  tls.on('error', (error) => failures.push(error)).on('close', closed.resolve);
  const stream = new LoneStream(tls, {
    protocol,
    creditBytes: 1024 * 1024,
    take(memory, from, to) {
      text += Buffer.from(memory.subarray(from, to)).toString();
    },
    over: (failure) => void ends.push(failure),
  });
  stream.start();
  for (const bytes of writes) stream.write(bytes);
  await closed.promise;
  return { text, ends, failures };
}

const ways: Readonly<Record<string, (connected: Connected) => void>> = {
  'goes on behind its end': ({ tls }) => {
    const calls = [head(ping, syn, 0, 1), head(window, 0, 1, 1_000_000), head(window, syn, 2, 0)];
    const behind = [...calls, ...calls, frame(utf8('more'))];
    tls.end(concatBytes(hello, frame(utf8('end'), fin), head(goAway, 0, 0, 0), ...behind));
  },
  'breaks off inside a frame': ({ tls }) => tls.end(concatBytes(hello, head(data, 0, 1, 500))),
  'breaks off inside a head': ({ tls }) => tls.end(concatBytes(hello, hello.subarray(0, 5))),
  'sends what is not encrypted': ({ tls, raw }) => {
    tls.write(hello, () => raw.end(Buffer.alloc(4000, 23)));
  },
  'resets the connection': ({ tls, raw }) => {
    tls.write(concatBytes(hello, frame(utf8('x'))), () => raw.resetAndDestroy());
  },
  'answers with another protocol': ({ tls }) => void tls.write(frame(greeting('/test/other/1'))),
  'sends more than it may': ({ tls }) => void tls.write(frame(Buffer.alloc(1024 * 1024 + 1))),
  'says that it sends 4 GiB': ({ tls }) => void tls.write(head(data, 0, 1, 0xffffffff)),
  'asks without an end': ({ tls }) => {
    const many = concatBytes(...Array<Bytes>(1000).fill(head(ping, syn, 0, 1)));
    const ask = (): void => void tls.write(many, (error) => (error ? undefined : ask()));
    tls.resume();
    ask();
  },
};

/** This end writes what cannot be sent any more. */
function isAfterEnd(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_WRITE_AFTER_END';
}

for (const [what, way] of Object.entries(ways)) {
  test(`a peer that ${what}: the stream has one end, and so has the connection`, async (t) => {
    const target = await startPeer(t, way);
    // More than the window of the peer, so that some of it waits.
    const { text, ends, failures } = await receive(target, [new Uint8Array(400_000)]);
    assert.equal(ends.length, 1, String(ends));
    assert.ok(!text.includes('more'));
    assert.ok(!failures.some((one) => isAfterEnd(one)), String(failures));
  });
}

test('a peer that takes nothing of what is written is left', async (t) => {
  const target = await startPeer(t, ({ tls }) => void tls.write(hello));
  const { ends } = await receive(
    target,
    Array.from({ length: 64 }, () => new Uint8Array(64 * 1024)),
  );
  assert.deepEqual(ends.map(String), ['Error: it does not listen']);
});

test('a peer that chooses no multiplexer, or speaks no TLS, is not spoken to', async (t) => {
  const spoken: Buffer[] = []; // BOUNDED by the test
  const onTls = ({ tls }: Connected): void => void tls.on('data', (part) => spoken.push(part));
  const signal = AbortSignal.timeout(10_000);
  for (const how of [{ names: ['libp2p'] }, { answer: greeting('na') }]) {
    const target = await startPeer(t, onTls, how);
    await assert.rejects(dialLone(target, { certificate: own, signal }));
  }
  assert.deepEqual(spoken, []);
});
