import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import type { CID } from 'multiformats/cid';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { type ContentNode, RecordBoard, startContentNode } from '../../test/support/content-net.ts';
import { holdersOf, keepNet } from '../../test/support/keep-net.ts';
import { MemoryNotes } from '../../test/support/memory-notes.ts';
import { SwitchedDenials } from '../../test/support/switched-denials.ts';
import { type Bytes, toHex } from '../base/bytes.ts';
import { systemWorld } from '../base/clock.ts';
import { sha256 } from '../base/hash.ts';
import { requireLink } from './dag/root.ts';
import { holdsBlock } from './replication/spot-check.ts';

const secret = randomBytes(1000);
const large = randomBytes(8_000_000);

/** A page, a file that some node denies, and a large one. */
async function makeSite(t: TestContext): Promise<string> {
  const folder = temporaryFolder(t);
  await mkdir(path.join(folder, 'a'));
  await writeFile(path.join(folder, 'index.html'), '<h1>hello</h1>');
  await writeFile(path.join(folder, 'a/secret.bin'), secret);
  await writeFile(path.join(folder, 'large.bin'), large);
  return folder;
}

interface Pair {
  readonly provider: ContentNode;
  readonly reader: ContentNode;
  readonly board: RecordBoard;
  /** Of the reader. */
  readonly denials: SwitchedDenials;
  readonly root: CID;
}

async function pair(t: TestContext): Promise<Pair> {
  const board = new RecordBoard();
  const denials = new SwitchedDenials();
  const provider = await startContentNode(t, board);
  const reader = await startContentNode(t, board, { denials });
  const { root } = await provider.sites.publish(await makeSite(t));
  return { provider, reader, board, denials, root };
}

const blocked = { code: 'CONTENT_BLOCKED' } as const;

async function readFile({ sites }: ContentNode, root: CID, at: string): Promise<number> {
  const entry = await sites.open(root, at);
  assert.ok(entry.type === 'file');
  let bytes = 0;
  for await (const piece of entry.read()) bytes += piece.length;
  return bytes;
}

test('for a denied root nobody is asked', async (t) => {
  const { reader, board, denials, root } = await pair(t);
  denials.denyBlock(root.multihash.digest);
  const dest = path.join(temporaryFolder(t), 'copy');
  await assert.rejects(reader.sites.fetch(root, dest), blocked);
  await assert.rejects(reader.sites.ensure(root), blocked);
  await assert.rejects(reader.sites.open(root, 'index.html'), blocked);
  await assert.rejects(reader.sites.getValue(root.multihash.digest), blocked);
  assert.equal(board.searches, 0);
  assert.equal(reader.blocks.size, 0);
});

test('a revocation is told as one', async (t) => {
  const { reader, denials, root } = await pair(t);
  denials.denyBlock(root.multihash.digest, 'revoked');
  await assert.rejects(reader.sites.ensure(root), { code: 'CONTENT_REVOKED' });
});

test('a denied block that comes with others is neither kept nor read', async (t) => {
  const { reader, denials, root } = await pair(t);
  denials.denyBlock(sha256(secret));
  const dest = path.join(temporaryFolder(t), 'copy');
  await assert.rejects(reader.sites.fetch(root, dest), blocked);
  await assert.rejects(readdir(dest));
  assert.equal(reader.blocks.get(sha256(secret)), undefined);
  assert.equal(reader.holdings.get(root.multihash.digest)?.complete, false);
  await assert.rejects(readFile(reader, root, 'a/secret.bin'), blocked);
  assert.equal(await readFile(reader, root, 'index.html'), 14, 'the rest can be had');
});

test('nobody is asked for a block once it is known to be denied', async (t) => {
  const { provider, reader, denials, root } = await pair(t);
  reader.holdings.bytesMax = 1_000_000; // too little for the rest to follow in the background
  await reader.sites.open(root, 'a');
  denials.denyBlock(sha256(secret));
  await provider.host.stop();
  await assert.rejects(readFile(reader, root, 'a/secret.bin'), blocked);
});

test('a denied path is not opened, read on or written to a folder', async (t) => {
  const { reader, denials, root } = await pair(t);
  const hash = root.multihash.digest;
  const opened = await reader.sites.open(root, 'a/secret.bin');
  assert.ok(opened.type === 'file');
  denials.denyPath(hash, 'a');
  await assert.rejects(opened.read()[Symbol.asyncIterator]().next(), blocked);
  await assert.rejects(reader.sites.open(root, 'a'), blocked);
  await assert.rejects(reader.sites.open(root, '/a//secret.bin/'), blocked);
  const dest = path.join(temporaryFolder(t), 'copy');
  await assert.rejects(reader.sites.fetch(root, dest), blocked);
  await assert.rejects(readdir(dest));
  assert.equal(await readFile(reader, root, 'index.html'), 14);
});

test('all that is below a folder is had up to what stands at a denied path', async (t) => {
  const { reader, denials, root } = await pair(t);
  const blocksBelow = async (at: string): Promise<string[]> => {
    const hashes: string[] = [];
    const dag = await reader.sites.openDag(root, at);
    for await (const { cid } of dag.blocks({ scope: 'all' })) {
      hashes.push(toHex(cid.multihash.digest));
    }
    return hashes;
  };
  const secretHash = toHex(sha256(secret));
  assert.ok((await blocksBelow('')).includes(secretHash));
  denials.denyPath(root.multihash.digest, 'a/secret.bin');
  await assert.rejects(blocksBelow(''), { ...blocked, message: /a\/secret\.bin/ });
  await assert.rejects(blocksBelow('a'), { ...blocked, message: /a\/secret\.bin/ });
  assert.ok((await blocksBelow('large.bin')).length > 1, 'what is beside it can be had');
  const dag = await reader.sites.openDag(root, 'a');
  let entries = 0;
  for await (const _ of dag.blocks({ scope: 'entity' })) entries++;
  assert.equal(entries, 2, 'a folder shows what it has');
});

test('a file that is being read ends at its first denied block', async (t) => {
  const { reader, denials, root } = await pair(t);
  const entry = await reader.sites.open(root, 'large.bin');
  assert.ok(entry.type === 'file');
  const pieces = entry.read()[Symbol.asyncIterator]();
  assert.ok((await pieces.next()).done !== true);
  for (const hash of reader.blocks.hashes()) denials.denyBlock(Buffer.from(hash, 'hex'));
  for (let at = 0; at < large.length; at += 1 << 18) {
    denials.denyBlock(sha256(large.subarray(at, at + (1 << 18))));
  }
  await assert.rejects(async () => {
    while ((await pieces.next()).done !== true) continue;
  }, blocked);
});

test('a folder that holds what is denied is not published, nor anything of it', async (t) => {
  const denials = new SwitchedDenials();
  const notes = new MemoryNotes();
  const { sites, holdings } = await startContentNode(t, new RecordBoard(), { denials, notes });
  const folder = await makeSite(t);
  const publish = (): Promise<unknown> => sites.publish(folder);
  denials.denyBlock(sha256(secret));
  const named = { ...blocked, message: /a\/secret\.bin/ } as const;
  await assert.rejects(publish(), named);
  assert.deepEqual([...holdings.list()], []);
  denials.allowAll();
  const { root } = await sites.publish(folder);
  denials.denyBlock(sha256(secret));
  await assert.rejects(publish(), named, 'also when it is known from before');
  denials.allowAll();
  denials.denyBlock(sha256(large.subarray(0, 1 << 18)));
  await assert.rejects(publish(), { ...blocked, message: /large\.bin/ }, 'a part of a file');
  denials.allowAll();
  denials.denyBlock(root.multihash.digest);
  await assert.rejects(publish(), blocked, 'the folder itself');
  denials.allowAll();
  await publish();
});

test('a folder in it is named, too', async (t) => {
  const denials = new SwitchedDenials();
  const { sites } = await startContentNode(t, new RecordBoard(), { denials });
  const folder = await makeSite(t);
  const { root } = await sites.publish(folder);
  const below = await sites.open(root, 'a');
  denials.denyBlock(below.cid.multihash.digest);
  await assert.rejects(sites.publish(folder), { ...blocked, message: /\/a \(/ });
});

test('nor is it published as an archive', async (t) => {
  const denials = new SwitchedDenials();
  const { sites, holdings } = await startContentNode(t, new RecordBoard(), { denials });
  const archive = execFileSync('tar', ['-C', await makeSite(t), '-cf', '-', '.'], {
    maxBuffer: 2 * large.length,
  });
  const publish = (): Promise<unknown> => sites.addTar(collected(archive));
  denials.denyBlock(sha256(secret));
  await assert.rejects(publish(), { ...blocked, message: /^a\/secret\.bin \(/ });
  assert.deepEqual([...holdings.list()], []);
  denials.allowAll();
  await publish();
});

async function* collected(bytes: Bytes): AsyncGenerator<Bytes> {
  yield bytes;
}

test('a node that refuses a block has none of it', async (t) => {
  const denials = new SwitchedDenials();
  const board = new RecordBoard();
  const holder = await startContentNode(t, board, { denials });
  const { host } = await startContentNode(t, board);
  const { hash } = await holder.sites.putValue(secret);
  const to = { publicKey: holder.key.publicKey, addresses: holder.host.addresses() };
  const { signal } = new AbortController();
  const patience = { timers: systemWorld.timers, patienceMs: 30_000, signal };
  const look = (): Promise<unknown> =>
    holdsBlock({ connections: host, to }, { codec: 'raw', hash }, patience);
  assert.equal(await look(), 'yes');
  denials.denyBlock(hash);
  assert.equal(await look(), 'no');
});

test('what is denied is neither announced again nor said to be held', async (t) => {
  const board = new RecordBoard();
  const denials = new SwitchedDenials();
  const { sites } = await startContentNode(t, board, { denials });
  const { root } = await sites.publish(await makeSite(t));
  const { hash } = await sites.putValue(secret);
  const before = board.providers();
  denials.denyBlock(root.multihash.digest);
  denials.denyBlock(hash);
  let published = 0;
  board.publish = () => {
    published++;
    return Promise.resolve({ stored: 1 });
  };
  await sites.reprovide();
  assert.equal(published, 0);
  assert.deepEqual(sites.list(), []);
  assert.equal(before, 2);
});

test('a copy of a site that holds what is denied is not kept', async (t) => {
  const net = keepNet(t);
  const denials = new SwitchedDenials();
  denials.denyBlock(sha256(secret));
  const publisher = await net.start({ replicas: 1 });
  const keeper = await net.start({}, { denials });
  const { root, replicas, refused } = await publisher.sites.publish(await makeSite(t));
  assert.equal(replicas, 0);
  assert.deepEqual(
    refused.map(({ why }) => why),
    ['blocked'],
  );
  assert.equal(holdersOf([keeper], requireLink(root).hash).length, 0);
  assert.equal(keeper.blocks.get(sha256(secret)), undefined);
});

test('a holder that denies what it holds is no holder', async (t) => {
  const net = keepNet(t);
  const denials = new SwitchedDenials();
  const publisher = await net.start({ replicas: 1 });
  const keeper = await net.start({}, { denials });
  const { root, replicas } = await publisher.sites.publish(await makeSite(t));
  assert.equal(replicas, 1);
  const { hash } = requireLink(root);
  denials.denyBlock(hash);
  const spare = await net.start();
  await net.until('another holder', () => holdersOf([spare], hash).length === 1);
  assert.ok(holdersOf([keeper], hash), 'it is on the disk until the node clears that');
});

test('what is allowed again can be had again', async (t) => {
  const { reader, denials, root } = await pair(t);
  denials.denyBlock(root.multihash.digest);
  await assert.rejects(reader.sites.ensure(root), blocked);
  denials.allowAll();
  assert.equal((await reader.sites.ensure(root)).files, 3);
  const leaf = (hash: Bytes): boolean => reader.blocks.has(hash);
  assert.ok(leaf(sha256(secret)));
});
