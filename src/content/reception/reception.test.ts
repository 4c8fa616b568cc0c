import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import process from 'node:process';
import { after, before, type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { atEnd } from '../../../test/support/cleanup.ts';
import { type Bytes, concatBytes, equalBytes } from '../../base/bytes.ts';
import { systemWorld } from '../../base/clock.ts';
import { sha256Text } from '../../base/hash.ts';
import { silentLogger } from '../../base/logger.ts';
import { SigningKey } from '../../identity/key.ts';
import { PeerHost } from '../../peer/host.ts';
import type { ByteStream } from '../../peer/stream.ts';
import {
  encodeEnd,
  encodeFrame,
  endStatuses,
  type Frame,
  FrameError,
  FrameReader,
  type FrameSource,
  frameTypes,
  syncProtocol,
} from '../exchange/frames.ts';
import { Slabs } from '../slabs.ts';
import { Reception } from './reception.ts';

const { timers } = systemWorld;
const ownKey = new SigningKey('node', randomBytes(32));
const dyingProgram = new URL('../../../test/support/dying-worker.ts', import.meta.url);
const leaf = randomBytes(256 * 1024);
const empty = new Uint8Array();

let receivedBytes = 0;
/** Of the main thread. */
const ownHost = new PeerHost({ key: ownKey, listen: [] });
/** One for all tests. */
const reception = new Reception({
  host: ownHost,
  timers,
  log: silentLogger,
  onReceived(from, bytes) {
    if (equalBytes(from, peer.target.publicKey)) receivedBytes += bytes;
  },
});

interface Target {
  readonly publicKey: Bytes;
  readonly addresses: readonly string[];
}

type Serve = (stream: ByteStream) => Promise<void>;

async function startPeer(serve: Serve): Promise<{ host: PeerHost; target: Target }> {
  const key = new SigningKey('node', randomBytes(32));
  const host = new PeerHost({ key, listen: [{ host: '127.0.0.1', port: 0 }] });
  await host.start();
  await host.handle(syncProtocol, serve);
  return { host, target: { publicKey: key.publicKey, addresses: host.addresses() } };
}

/** How the one peer of these tests serves the next stream. */
let serveNext: Serve = () => Promise.resolve();
let peer: Awaited<ReturnType<typeof startPeer>>;

before(async () => {
  peer = await startPeer((stream) => serveNext(stream));
  await ownHost.start();
  const met = Promise.withResolvers<void>();
  serveNext = (stream) => stream.close().finally(met.resolve);
  await (await ownHost.open(peer.target, syncProtocol)).close();
  await met.promise;
});

after(async () => {
  await reception.stop();
  await ownHost.stop();
  await peer.host.stop();
});

async function framesFrom(serve: Serve): Promise<FrameSource & { readonly stream: Opened }> {
  serveNext = serve;
  const stream = await reception.open(peer.target);
  const frames = stream.frames?.(() => undefined);
  assert.ok(frames);
  return { stream, next: () => frames.next() };
}

type Opened = Awaited<ReturnType<Reception['open']>>;

async function allOf(frames: FrameSource): Promise<Frame[]> {
  const all: Frame[] = []; // BOUNDED by the test
  for (;;) {
    const frame = await frames.next();
    if (!frame) return all;
    all.push(frame);
  }
}

test('frames come whole and in order, and the peer knows who asks', async () => {
  const asked: Bytes[] = []; // BOUNDED by the test
  let remote: Bytes | undefined;
  const small = randomBytes(100);
  assert.equal(reception.streams, 0);
  const frames = await framesFrom(async (stream) => {
    ({ remote } = stream);
    const frame = await new FrameReader(stream.read).next();
    asked.push(new Uint8Array(frame?.body ?? []));
    await stream.write(encodeFrame(frameTypes.block, leaf));
    await stream.write(encodeFrame(frameTypes.missing, empty));
    await stream.write(encodeFrame(frameTypes.block, small));
    await stream.write(encodeEnd(endStatuses.done));
    await stream.close();
  });
  assert.equal(reception.streams, 1);
  const earlierBytes = receivedBytes;
  await frames.stream.write(encodeFrame(frameTypes.root, new Uint8Array(32).fill(7)));
  const all = await allOf(frames);
  assert.deepEqual(
    all.map(({ type, body }) => [type, body.length]),
    [
      [frameTypes.block, leaf.length],
      [frameTypes.missing, 0],
      [frameTypes.block, small.length],
      [frameTypes.end, 1],
    ],
  );
  assert.ok(all[0] && equalBytes(all[0].body, leaf));
  assert.ok(all[0]?.body.buffer instanceof SharedArrayBuffer);
  const [hashed, missing, alsoHashed, end] = all.map(({ digest }) => digest);
  assert.deepEqual([hashed, alsoHashed], [sha256Text(leaf), sha256Text(small)]);
  assert.deepEqual([missing, end], [undefined, undefined]);
  assert.deepEqual([asked, remote], [[new Uint8Array(32).fill(7)], ownKey.publicKey]);
  assert.equal(receivedBytes - earlierBytes, 4 * 5 + leaf.length + small.length + 1);
  await frames.stream.close();
});

test('whoever takes nothing holds a peer up, and memory given back is used again', async () => {
  const [count, taken] = [64, new Set<ArrayBufferLike>()];
  const slabs = new Slabs(0);
  let written = 0;
  const frames = await framesFrom(async (stream) => {
    for (; written < count; written++) await stream.write(encodeFrame(frameTypes.block, leaf));
    await stream.close();
  });
  let last = -1;
  for (let stillFor = 0; stillFor < 200; stillFor++) {
    if (written !== last) stillFor = 0;
    last = written;
    await setImmediate();
  }
  // What the two threads, yamux and the system hold: about half of it.
  assert.ok(written < count, `${written} were sent`);
  for (let n = 0; n < count; n++) {
    const frame = await frames.next();
    assert.ok(frame && equalBytes(frame.body, leaf));
    taken.add(frame.body.buffer);
    slabs.give(frame.body);
  }
  assert.equal(await frames.next(), undefined);
  assert.ok(taken.size < count / 2, `${taken.size} slabs`);
  await frames.stream.close();
});

test('frames without bodies come all, however many there are', async () => {
  const many = concatBytes(...Array<Bytes>(1000).fill(encodeFrame(frameTypes.missing, empty)));
  const rounds = 50;
  const frames = await framesFrom(async (stream) => {
    for (let round = 0; round < rounds; round++) await stream.write(many);
    await stream.close();
  });
  for (let n = 0; n < rounds * 1000; n++) {
    assert.equal((await frames.next())?.type, frameTypes.missing);
  }
  assert.equal(await frames.next(), undefined);
  await frames.stream.close();
});

test('what is no frame ends the stream, after what came before it', async () => {
  const bad = [Uint8Array.of(0x42, 0, 0, 0, 0), Uint8Array.of(frameTypes.block, 0xff, 0, 0, 0)];
  for (const octets of bad) {
    const frames = await framesFrom(async (stream) => {
      await stream.write(encodeFrame(frameTypes.block, leaf));
      await stream.write(octets).catch(() => undefined);
    });
    assert.equal((await frames.next())?.body.length, leaf.length);
    await assert.rejects(async () => frames.next(), FrameError);
    frames.stream.abort(new Error('bad'));
  }
});

test('a reset and an end inside a frame break the stream, after what came before', async () => {
  const ends: Serve[] = [
    (stream) => Promise.resolve(stream.abort(new Error('reset'))),
    async (stream) => {
      await stream.write(encodeFrame(frameTypes.block, leaf).subarray(0, 1000));
      await stream.close();
    },
  ];
  for (const end of ends) {
    const came = Promise.withResolvers<void>();
    const frames = await framesFrom(async (stream) => {
      await stream.write(encodeFrame(frameTypes.block, leaf));
      await came.promise; // a reset overtakes what is on its way
      await end(stream);
    });
    assert.equal((await frames.next())?.body.length, leaf.length);
    came.resolve();
    await assert.rejects(async () => frames.next(), { code: 'UNREACHABLE' });
  }
});

test('memory of blocks that never come whole is used again', async () => {
  const slabs = new Slabs(0);
  const whole = encodeFrame(frameTypes.block, randomBytes(10));
  const torn = concatBytes(whole, encodeFrame(frameTypes.block, leaf).subarray(0, 1000));
  for (let broken = 0; broken < 100; broken++) {
    const frames = await framesFrom((stream) => stream.write(torn));
    assert.equal((await frames.next())?.body.length, 10);
    frames.stream.abort(new Error('enough'));
  }
  const frames = await framesFrom((stream) => stream.write(encodeFrame(frameTypes.block, leaf)));
  const frame = await frames.next();
  assert.ok(frame?.body.buffer instanceof SharedArrayBuffer);
  slabs.give(frame.body);
  await frames.stream.close();
});

test('whoever gives it up gets nothing more, and the peer is told', async () => {
  const ended = Promise.withResolvers<void>();
  const frames = await framesFrom(async (stream) => {
    await stream.write(encodeFrame(frameTypes.block, leaf));
    await stream.read[Symbol.asyncIterator]()
      .next()
      .catch(() => undefined);
    ended.resolve();
  });
  assert.ok(await frames.next());
  const next = frames.next();
  const why = new Error('enough');
  frames.stream.abort(why);
  await assert.rejects(async () => next, why);
  await assert.rejects(frames.stream.write(leaf), why);
  await ended.promise;
});

test('only a peer that was met is dialled, and another one there is refused', async (t) => {
  const { publicKey } = new SigningKey('node', randomBytes(32));
  const { addresses } = peer.target;
  await assert.rejects(reception.open({ publicKey, addresses }), { message: /never met/ });
  const other = await startPeer(() => Promise.resolve());
  atEnd(t, () => other.host.stop());
  const there = { ...peer.target, addresses: other.target.addresses };
  await assert.rejects(reception.open(there), { code: 'UNREACHABLE', message: /another peer/ });
});

/** Somebody who listens and never answers. */
async function startSilence(t: TestContext): Promise<readonly string[]> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined).resume(); // so that it notices the end
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, () => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address() as AddressInfo;
  return [`/ip4/127.0.0.1/tcp/${port}`];
}

test('a dial can be given up', async (t) => {
  const addresses = await startSilence(t);
  const stop = new AbortController();
  const opening = reception.open({ ...peer.target, addresses }, { signal: stop.signal });
  const why = new Error('no longer');
  stop.abort(why);
  await assert.rejects(opening, why);
});

test('more streams than there is memory for, or of one peer, are left to others', async (t) => {
  const everybody = {
    certificate: () => ownHost.certificate(),
    proofsOf: () => ['the proof of nobody'],
  };
  const own = new Reception({ host: everybody, timers, log: silentLogger });
  atEnd(t, () => own.stop());
  const addresses = await startSilence(t);
  const stop = new AbortController();
  const { signal } = stop;
  const open = (publicKey: Bytes): Promise<unknown> =>
    own.open({ publicKey, addresses }, { signal });
  const enough = { code: 'UNREACHABLE', message: /enough/ };
  const [one, opening] = [randomBytes(32), [] as Promise<unknown>[]];
  for (let n = 0; n < 4; n++) opening.push(open(one));
  await assert.rejects(open(one), enough);
  for (let n = 4; n < 24; n++) opening.push(open(randomBytes(32)));
  await assert.rejects(open(randomBytes(32)), enough);
  stop.abort(new Error('no longer'));
  await Promise.allSettled(opening);
  await t.waitFor(() => assert.equal(own.streams, 0));
});

function startedWith(t: TestContext, program?: URL): { own: Reception; warnings: string[] } {
  const warnings: string[] = []; // BOUNDED by the test
  const log = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
  const own = new Reception({ host: ownHost, timers, log, program });
  atEnd(t, () => own.stop());
  return { own, warnings };
}

test('a thread that dies takes its streams with it, once and for all', async (t) => {
  const { own, warnings } = startedWith(t, dyingProgram);
  await assert.rejects(own.open(peer.target), { code: 'UNREACHABLE' });
  await assert.rejects(own.open(peer.target), { code: 'UNREACHABLE' });
  assert.equal(warnings.length, 1);
});

test('stopping breaks what is open and leaves no thread', async (t) => {
  const { own, warnings } = startedWith(t);
  serveNext = (stream) => stream.write(encodeFrame(frameTypes.block, leaf));
  const stream = await own.open(peer.target);
  const frames = stream.frames?.(() => undefined);
  assert.ok(await frames?.next());
  const broken = assert.rejects(async () => frames?.next(), { code: 'UNREACHABLE' });
  await Promise.all([own.stop(), own.stop()]);
  await broken;
  await assert.rejects(own.open(peer.target), { code: 'UNREACHABLE' });
  assert.equal(warnings.length, 0);
});

test('whoever stops it a second time waits for the thread as well', async (t) => {
  const workers: Worker[] = []; // BOUNDED by the test
  const note = (worker: Worker): void => void workers.push(worker);
  process.once('worker', note);
  atEnd(t, () => void process.off('worker', note));
  const { own } = startedWith(t);
  serveNext = (stream) => stream.write(encodeFrame(frameTypes.block, leaf));
  await own.open(peer.target);
  const [worker] = workers;
  assert.ok(worker && worker.threadId > 0);
  void own.stop();
  await own.stop();
  assert.equal(worker.threadId, -1);
});
