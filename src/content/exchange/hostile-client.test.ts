/** Clients that ask over real streams for what costs most and take nothing of it. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { encode, type PBLink } from '@ipld/dag-pb';
import { UnixFS } from 'ipfs-unixfs';
import { atEnd } from '../../../test/support/cleanup.ts';
import { MemoryBlocks } from '../../../test/support/memory-blocks.ts';
import { concatBytes, toHex, utf8 } from '../../base/bytes.ts';
import { SigningKey } from '../../identity/key.ts';
import { PeerHost, type PeerTarget } from '../../peer/host.ts';
import type { ByteStream } from '../../peer/stream.ts';
import { nodeLinksMax } from '../dag/decode-node.ts';
import { cidOf, type Link } from '../dag/root.ts';
import {
  decodeEnd,
  encodeRoot,
  encodeWant,
  endStatuses,
  FrameReader,
  frameTypes,
  syncProtocol,
} from './frames.ts';
import { SyncServer, type SyncServerOptions } from './sync-server.ts';

const blocks = new MemoryBlocks();
const leaf: Link = { codec: 'raw', hash: blocks.add(utf8('hello')) };
const large: Link = { codec: 'raw', hash: blocks.add(randomBytes(1_500_000)) };

function fileOf(parts: readonly Link[]): Link {
  const unixfs = new UnixFS({ type: 'file', blockSizes: parts.map(() => 1n) });
  const links = parts.map((part): PBLink => ({ Name: '', Tsize: 1, Hash: cidOf(part) }));
  return { codec: 'dag-pb', hash: blocks.add(encode({ Data: unixfs.marshal(), Links: links })) };
}

/** A walk of it holds nearly all links that one may hold, when it comes to the large leaf. */
function trap(): Link {
  let link = large;
  const others = Array.from({ length: nodeLinksMax - 1 }, () => leaf);
  for (let level = 0; level < 8; level++) link = fileOf([link, ...others]);
  return link;
}

const hostile = trap();
const wantHostile = encodeWant({ link: hostile, level: 0, path: [], scope: 'all' });
const wantLeaf = encodeWant({ link: leaf, level: 0, path: [], scope: 'block' });

interface Serving {
  readonly server: SyncServer;
  readonly target: PeerTarget;
}

async function startServer(t: TestContext, options: SyncServerOptions): Promise<Serving> {
  const key = new SigningKey('node', randomBytes(32));
  const host = new PeerHost({ key, listen: [{ host: '127.0.0.1', port: 0 }] });
  await host.start();
  atEnd(t, () => host.stop());
  const server = new SyncServer(blocks, options);
  await host.handle(syncProtocol, (stream) => server.serve(stream));
  atEnd(t, () => server.stop());
  return { server, target: { publicKey: key.publicKey, addresses: host.addresses() } };
}

async function startClient(t: TestContext): Promise<PeerHost> {
  const host = new PeerHost({ key: new SigningKey('node', randomBytes(32)), listen: [] });
  await host.start();
  atEnd(t, () => host.stop());
  return host;
}

/** Asks for the trap and reads nothing of the answer. */
async function stall(host: PeerHost, { target }: Serving): Promise<ByteStream> {
  const stream = await host.open(target, syncProtocol);
  await stream.write(concatBytes(encodeRoot(hostile.hash), wantHostile));
  return stream;
}

/** What an honest reader is told: types of the frames, and the status of the end. */
async function askLeaf(host: PeerHost, { target }: Serving): Promise<(number | undefined)[]> {
  const stream = await host.open(target, syncProtocol);
  await stream.write(concatBytes(encodeRoot(leaf.hash), wantLeaf));
  const frames = new FrameReader(stream.read);
  const told: (number | undefined)[] = [];
  for (let frame = await frames.next(); frame; frame = await frames.next()) {
    told.push(frame.type);
    if (frame.type !== frameTypes.end) continue;
    told.push(decodeEnd(frame.body));
    break;
  }
  await stream.close();
  return told;
}

const served = [frameTypes.block, frameTypes.end, endStatuses.done];
const sentAway = [frameTypes.end, endStatuses.busy];

test('answers that nobody takes hold no more memory than they may, and an honest reader is served', async (t) => {
  const memoryBytesMax = 8 * 1024 * 1024; // of two walks and a half
  const serving = await startServer(t, { memoryBytesMax });
  const clients = await Promise.all(Array.from({ length: 4 }, () => startClient(t)));
  for (const host of clients) for (let i = 0; i < 3; i++) await stall(host, serving);
  let most = 0;
  while (serving.server.refusals.memory < 8) {
    most = Math.max(most, serving.server.memoryBytes);
    await delay(1, undefined, { signal: t.signal });
  }
  assert.ok(most <= memoryBytesMax, `${most}`);
  assert.ok(serving.server.memoryBytes > 3_000_000, 'those who are left hold theirs');
  assert.deepEqual(await askLeaf(await startClient(t), serving), served);
});

test('one network takes no more than its places, with however many keys', async (t) => {
  const hostileKeys = new Set<string>();
  const serving = await startServer(t, {
    streamsMax: 8,
    streamsPerNetworkMax: 4,
    networkOf: (peer) => (hostileKeys.has(toHex(peer)) ? 'theirs' : undefined),
  });
  const clients = await Promise.all(Array.from({ length: 3 }, () => startClient(t)));
  const honest = await startClient(t);
  const knownAs = async (host: PeerHost): Promise<void> => {
    const probe = await startServer(t, { networkOf: (peer) => void hostileKeys.add(toHex(peer)) });
    await askLeaf(host, probe);
  };
  for (const host of clients) await knownAs(host);
  for (const host of clients) for (let i = 0; i < 2; i++) await stall(host, serving);
  while (serving.server.refusals.network < 2) await delay(5, undefined, { signal: t.signal });
  for (let i = 0; i < 4; i++) assert.deepEqual(await askLeaf(honest, serving), served);
  assert.equal(serving.server.refusals.total, 0);
});

test('one peer takes no more than its places, and is told so', async (t) => {
  const serving = await startServer(t, { streamsPerPeerMax: 2 });
  const host = await startClient(t);
  for (let i = 0; i < 2; i++) await stall(host, serving);
  while (serving.server.memoryBytes < 5_000_000) await delay(5, undefined, { signal: t.signal });
  assert.deepEqual(await askLeaf(host, serving), sentAway);
  assert.equal(serving.server.refusals.peer, 1);
  assert.deepEqual(await askLeaf(await startClient(t), serving), served);
});

test('an answer that is not taken is dropped in time, and what it held is free', async (t) => {
  const serving = await startServer(t, { pace: { periodMs: 1000, bytesMin: 1 } });
  const stream = await stall(await startClient(t), serving);
  let mostBytes = 0;
  while (mostBytes < 2_500_000) {
    mostBytes = Math.max(mostBytes, serving.server.memoryBytes);
    await delay(5, undefined, { signal: t.signal });
  }
  while (serving.server.memoryBytes > 0) await delay(5, undefined, { signal: t.signal });
  await assert.rejects(async () => {
    for await (const chunk of stream.read) assert.ok(chunk.length > 0);
  });
});

test('with all places taken by those who take nothing, the next one gets one', async (t) => {
  const serving = await startServer(t, { streamsMax: 2, stallMs: 50 });
  const host = await startClient(t);
  for (let i = 0; i < 2; i++) await stall(host, serving);
  while (serving.server.memoryBytes < 5_000_000) await delay(5, undefined, { signal: t.signal });
  const reader = await startClient(t);
  while ((await askLeaf(reader, serving)).length === sentAway.length)
    await delay(5, undefined, { signal: t.signal });
  assert.equal(serving.server.refusals.stalled, 1);
});
