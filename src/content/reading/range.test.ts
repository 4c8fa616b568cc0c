/**
 * Readers who begin in the middle of a file: what they ask, how many round trips that costs, and
 * what becomes of providers that answer something else.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { CID } from 'multiformats/cid';
import { collect } from '../../../test/support/collect.ts';
import {
  type ContentNode,
  type ContentNodeOptions,
  RecordBoard,
  startContentNode,
} from '../../../test/support/content-net.ts';
import { MemoryBlocks } from '../../../test/support/memory-blocks.ts';
import { type Bytes, concatBytes, toHex } from '../../base/bytes.ts';
import { isAltNetError } from '../../base/errors.ts';
import { networkId, networkProfiles } from '../../record/network.ts';
import { makeProviderRecord } from '../../record/provider.ts';
import { encodeMultiaddr, parseMultiaddr } from '../../peer/address.ts';
import type { ByteStream } from '../../peer/stream.ts';
import { buildFolder, FileBuilder } from '../dag/build.ts';
import { readNode } from '../dag/folder.ts';
import { cidOf, hashKey, type Link, multihashOf } from '../dag/root.ts';
import { DagWalk, type Want } from '../dag/walk.ts';
import {
  decodeWant,
  encodeEnd,
  encodeFrame,
  endStatuses,
  FrameReader,
  frameTypes,
  syncProtocol,
} from '../exchange/frames.ts';
import { SyncServer } from '../exchange/sync-server.ts';
import type { SiteFile } from '../types.ts';

const chunkBytes = 100;
/** One more than two levels of nodes have: three levels, as a video of 8 GB. */
const chunks = 174 * 174 + 1;
const bytes = randomBytes(chunks * chunkBytes);
const page = randomBytes(chunkBytes);

interface Made {
  readonly blocks: MemoryBlocks;
  readonly root: Link;
}

/** A site with `media/video` and `page`. */
async function makeSite(): Promise<Made> {
  const blocks = new MemoryBlocks();
  const sink = (block: { bytes: Bytes }): undefined => void blocks.add(block.bytes);
  const file = async (content: Bytes): Promise<Awaited<ReturnType<FileBuilder['finish']>>> => {
    const builder = new FileBuilder(sink);
    for (let at = 0; at < content.length; at += chunkBytes) {
      await builder.add(content.subarray(at, at + chunkBytes));
    }
    return builder.finish();
  };
  const media = await buildFolder([{ ...(await file(bytes)), name: 'video' }], sink);
  const entries = [
    { ...media, name: 'media' },
    { ...(await file(page)), name: 'page' },
  ];
  return { blocks, root: await buildFolder(entries, sink) };
}

const site = await makeSite();

interface Provider {
  readonly node: ContentNode;
  /** Every want that it was sent, in order. */
  readonly wants: Want[];
}

type Answer = (stream: ByteStream) => Promise<void>;

/** A node that others take for a provider of the site; what it holds is `blocks`. */
async function startProvider(
  t: TestContext,
  board: RecordBoard,
  { blocks = site.blocks, answer }: { blocks?: MemoryBlocks; answer?: Answer } = {},
): Promise<Provider> {
  const node = await startContentNode(t, board);
  const wants: Want[] = [];
  const server = new SyncServer(blocks);
  await node.host.handle(syncProtocol, (stream) =>
    answer ? answer(stream) : server.serve({ ...stream, read: noted(stream, wants) }),
  );
  await announce(board, node);
  return { node, wants };
}

async function announce(board: RecordBoard, { key, host }: ContentNode): Promise<void> {
  const multiaddrs = host.addresses().flatMap((text) => {
    const endpoint = parseMultiaddr(text);
    return endpoint ? [encodeMultiaddr(endpoint)] : [];
  });
  const body = { multihash: multihashOf(site.root), multiaddrs };
  const at = { seq: 1n, issued: Math.floor(Date.now() / 1000) };
  const network = networkId(networkProfiles.local);
  await board.publish(makeProviderRecord(body, at, { key, network }));
}

/** The same octets; wants among them are noted. */
async function* noted(stream: ByteStream, wants: Want[]): AsyncGenerator<Bytes> {
  const frames = new FrameReader(stream.read);
  for (let frame = await frames.next(); frame; frame = await frames.next()) {
    const want = frame.type === frameTypes.want ? decodeWant(frame.body) : undefined;
    if (want) wants.push(want);
    yield encodeFrame(
      frame.type === frameTypes.want ? frameTypes.want : frameTypes.root,
      frame.body,
    );
  }
}

async function startReader(
  t: TestContext,
  board: RecordBoard,
  options: ContentNodeOptions = {},
): Promise<ContentNode> {
  const reader = await startContentNode(t, board, options);
  reader.holdings.bytesMax = 1_000_000; // too little for the rest to follow in the background
  return reader;
}

/**
 * How many round trips the wants cost at the least: one is known beforehand, others are known from
 * the answer to an earlier one.
 */
function tripsOf(wants: readonly Want[]): number {
  const knownAfter = new Map<string, number>([[hashKey(site.root.hash), 0]]);
  let trips = 0;
  for (const want of wants) {
    const trip = (knownAfter.get(hashKey(want.link.hash)) ?? assert.fail('never heard of')) + 1;
    trips = Math.max(trips, trip);
    const walk = new DagWalk(want);
    for (let link = walk.next(); link; link = walk.next()) {
      const node = readNode(site.blocks, link);
      for (const { hash } of node.kind === 'file' ? node.parts : node.entries) {
        const key = hashKey(hash);
        knownAfter.set(key, Math.min(knownAfter.get(key) ?? trip, trip));
      }
      walk.accept(site.blocks.get(link.hash) ?? assert.fail());
    }
  }
  return trips;
}

async function openVideo(
  { sites }: ContentNode,
  range?: { from: number; to: number },
): Promise<SiteFile> {
  const entry = await sites.open(root, 'media/video', { range });
  assert.ok(entry.type === 'file');
  return entry;
}

async function read(file: SiteFile, range: { from: number; to: number }): Promise<Bytes> {
  return concatBytes(...(await collect(file.read(range))));
}

const root: CID = cidOf(site.root);
const middle = { from: 1_500_050, to: 1_520_050 };
const expected = bytes.subarray(middle.from, middle.to);

test('a page far down comes in one round trip, with nothing else', async (t) => {
  const board = new RecordBoard();
  const { wants } = await startProvider(t, board);
  const reader = await startReader(t, board);
  const entry = await reader.sites.open(root, 'page');
  assert.ok(entry.type === 'file');
  assert.ok(page.equals(await read(entry, { from: 0, to: page.length })));
  assert.equal(wants.length, 1);
  assert.deepEqual(wants[0]?.path, ['page']);
});

test('the middle of a file that nothing is known of comes in one round trip', async (t) => {
  const board = new RecordBoard();
  const { wants } = await startProvider(t, board);
  const reader = await startReader(t, board);
  const file = await openVideo(reader, middle);
  assert.ok(expected.equals(await read(file, middle)));
  assert.equal(tripsOf(wants), 1);
  assert.equal(wants.length, 1);
  // root, folder, file, two nodes on each of two levels, and the leaves.
  const leaves = (middle.to - middle.from) / chunkBytes + 1;
  assert.ok(reader.blocks.size <= 3 + 4 + leaves, `${reader.blocks.size}`);
});

test('a seek in a file that is open costs one round trip more, whatever its depth', async (t) => {
  const board = new RecordBoard();
  const { wants } = await startProvider(t, board);
  const reader = await startReader(t, board);
  const file = await openVideo(reader, { from: 0, to: chunkBytes });
  assert.ok(bytes.subarray(0, chunkBytes).equals(await read(file, { from: 0, to: chunkBytes })));
  assert.equal(tripsOf(wants), 1);
  assert.ok(expected.equals(await read(file, middle)));
  assert.equal(tripsOf(wants), 2);
  const size = reader.blocks.written.length;
  assert.equal(reader.blocks.size, size, 'nothing came twice');
});

test('ranges anywhere are read as they are, and no block comes twice', async (t) => {
  const board = new RecordBoard();
  await startProvider(t, board);
  const reader = await startReader(t, board);
  const end = bytes.length;
  const ranges = [
    { from: end - 1, to: end },
    { from: 0, to: 1 },
    { from: 174 * chunkBytes - 1, to: 174 * chunkBytes + 1 },
    { from: 174 * 174 * chunkBytes - 10, to: end },
    { from: 99, to: 101 },
    { from: 1_000_000, to: 1_000_001 },
  ];
  for (const range of ranges) {
    const file = await openVideo(reader, range);
    assert.ok(bytes.subarray(range.from, range.to).equals(await read(file, range)));
  }
  assert.equal(reader.blocks.written.length, reader.blocks.size);
  const beyond = await openVideo(reader, { from: end, to: end + 5 });
  assert.equal((await read(beyond, { from: end, to: end + 5 })).length, 0);
});

test('what one provider lacks of a range comes from another', async (t) => {
  const board = new RecordBoard();
  const halves = [new MemoryBlocks(), new MemoryBlocks()];
  const nodes = new Set(wholeNodes());
  for (const [i, hash] of site.blocks.hashes().entries()) {
    const block = site.blocks.get(Buffer.from(hash, 'hex')) ?? assert.fail();
    for (const [n, half] of halves.entries()) if (nodes.has(hash) || i % 2 === n) half.add(block);
  }
  for (const blocks of halves) await startProvider(t, board, { blocks });
  const reader = await startReader(t, board);
  const file = await openVideo(reader, middle);
  assert.ok(expected.equals(await read(file, middle)));
  assert.equal(reader.blocks.written.length, reader.blocks.size);
});

function wholeNodes(): string[] {
  const walk = new DagWalk({ link: site.root, level: 0, path: [], scope: 'nodes' });
  const found: string[] = [];
  for (let link = walk.next(); link; link = walk.next()) {
    found.push(toHex(link.hash));
    walk.accept(site.blocks.get(link.hash) ?? assert.fail());
  }
  return found;
}

/** The blocks that answer a want, and the leaf of the file behind the last one of them. */
function rightAnswer(want: Want): { right: Bytes[]; beside: Bytes } {
  const walk = new DagWalk(want);
  const right: Bytes[] = [];
  for (let link = walk.next(); link; link = walk.next()) {
    const block = site.blocks.get(link.hash) ?? assert.fail();
    right.push(block);
    walk.accept(block);
  }
  const at = Math.floor((middle.to + 10 * chunkBytes) / chunkBytes) * chunkBytes;
  return { right, beside: bytes.subarray(at, at + chunkBytes) };
}

const block = (body: Bytes): Bytes => encodeFrame(frameTypes.block, body);
const done = encodeEnd(endStatuses.done);
const missing = encodeFrame(frameTypes.missing, new Uint8Array());

/** What a hostile provider sends instead of the answer. */
const frauds: Readonly<Record<string, (right: Bytes[], beside: Bytes) => Bytes[]>> = {
  'another leaf of the same file': (right, beside) =>
    [...right.slice(0, 5), beside, ...right.slice(6)].map(block),
  'the leaf behind the range as well': (right, beside) => [...right, beside].map(block),
  'nothing, and that it was all': () => [done],
  'the path, and that it was all': (right) => [...right.slice(0, 3).map(block), done],
  'leaves in another order': (right) =>
    [...right.slice(0, -2), ...right.slice(-2).toReversed()].map(block),
  'a node that is left out': (right) => [...right.slice(0, 3), ...right.slice(4)].map(block),
  'the file, and then nothing': (right) => right.slice(0, 3).map(block),
  'that it lacks the nodes': (right) => [...right.slice(0, 3).map(block), missing, done],
};

for (const [name, frames] of Object.entries(frauds)) {
  test(`a range is answered with ${name}: nothing wrong is read, and others are asked`, async (t) => {
    const board = new RecordBoard();
    await startProvider(t, board, {
      answer: async (stream) => {
        const reading = new FrameReader(stream.read);
        await reading.next(); // the root
        const want = decodeWant((await reading.next())?.body ?? assert.fail()) ?? assert.fail();
        const { right, beside } = rightAnswer(want);
        await stream.write(concatBytes(...frames(right, beside))).catch(() => undefined);
        // It goes on listening, and says no more.
        while (await reading.next().catch(() => undefined)) continue;
      },
    });
    const reader = await startReader(t, board, { fetch: { pace: { periodMs: 300, bytesMin: 1 } } });
    const got: Bytes[] = [];
    const attempt = async (): Promise<void> => {
      const file = await openVideo(reader, middle);
      for await (const piece of file.read(middle)) got.push(piece);
    };
    const error: unknown = await attempt().catch((reason: unknown) => reason);
    const before = concatBytes(...got);
    assert.ok(Buffer.from(before).equals(expected.subarray(0, before.length)));
    if (before.length < expected.length) {
      assert.ok(
        isAltNetError(error, 'NO_PROVIDERS') || isAltNetError(error, 'CONTENT_UNAVAILABLE'),
        String(error),
      );
    }
    await startProvider(t, board);
    got.length = 0;
    await attempt();
    assert.ok(expected.equals(concatBytes(...got)));
    assert.equal(reader.blocks.written.length, reader.blocks.size, 'what was good stays');
  });
}
