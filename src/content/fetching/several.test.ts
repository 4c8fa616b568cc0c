/** One fetch from several providers of all kinds, and several readers of one root. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CID } from 'multiformats/cid';
import { temporaryFolder } from '../../../test/support/cleanup.ts';
import { collect } from '../../../test/support/collect.ts';
import {
  type ContentNode,
  RecordBoard,
  startContentNode,
} from '../../../test/support/content-net.ts';
import { manualWorld } from '../../../test/support/manual-world.ts';
import { concatBytes, toHex } from '../../base/bytes.ts';
import { systemWorld } from '../../base/clock.ts';
import { isAltNetError } from '../../base/errors.ts';
import { sha256 } from '../../base/hash.ts';
import type { ByteStream } from '../../peer/stream.ts';
import { encodeFrame, FrameReader, frameTypes, syncProtocol } from '../exchange/frames.ts';
import { SyncServer } from '../exchange/sync-server.ts';
import type { Progress, SiteFile } from '../types.ts';
import { hedgeMs } from './stealing.ts';

const leafBytes = 256 * 1024;

async function publishFile(t: TestContext, node: ContentNode, bytes: Buffer): Promise<CID> {
  const folder = temporaryFolder(t);
  await writeFile(path.join(folder, 'large.bin'), bytes);
  return (await node.sites.publish(folder)).root;
}

async function startCopies(
  t: TestContext,
  board: RecordBoard,
  { root, count }: { root: CID; count: number },
): Promise<ContentNode[]> {
  const nodes = await Promise.all(Array.from({ length: count }, () => startContentNode(t, board)));
  for (const node of nodes) await node.sites.ensure(root);
  while (board.providers() < count + 1) await sleep(5);
  return nodes;
}

/** Serves as `blocks` allow, but each write goes through `write`. */
async function serveThrough(
  node: ContentNode,
  write: (stream: ByteStream, bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const honest = new SyncServer(node.blocks);
  await node.host.handle(syncProtocol, (stream) =>
    honest.serve({
      remote: stream.remote,
      read: stream.read,
      write: (bytes) => write(stream, bytes),
      close: () => stream.close(),
      abort: (reason) => stream.abort(reason),
    }),
  );
}

async function openFile({ sites }: ContentNode, root: CID): Promise<SiteFile> {
  const entry = await sites.open(root, 'large.bin');
  assert.ok(entry.type === 'file');
  return entry;
}

test('of four providers one lies, one is silent, one dies, one is slow: all comes, once', async (t) => {
  const board = new RecordBoard();
  const slow = await startContentNode(t, board);
  const bytes = randomBytes(24 * leafBytes);
  const root = await publishFile(t, slow, bytes);
  const copies = await startCopies(t, board, { root, count: 3 });
  const [liar, silent, dying] = copies;
  assert.ok(liar && silent && dying);
  await liar.host.handle(syncProtocol, async (stream) => {
    const frames = new FrameReader(stream.read);
    for (let i = 0; i < 2; i++) await frames.next(); // the root and a want
    await stream.write(encodeFrame(frameTypes.block, randomBytes(1000))).catch(() => undefined);
  });
  await silent.host.handle(syncProtocol, async (stream) => {
    for await (const chunk of stream.read) assert.ok(chunk);
  });
  let left = 6;
  await serveThrough(dying, async (stream, chunk) => {
    if (left-- === 0) await dying.host.stop();
    await stream.write(chunk);
  });
  await serveThrough(slow, async (stream, chunk) => {
    await sleep(30);
    await stream.write(chunk);
  });
  const fetcher = await startContentNode(t, board);
  const seen: Progress[] = [];
  await fetcher.sites.ensure(root, { onProgress: (progress) => seen.push(progress) });
  assert.deepEqual(fetcher.blocks.hashes().toSorted(), slow.blocks.hashes().toSorted());
  assert.equal(fetcher.blocks.written.length, fetcher.blocks.size, 'no block was written twice');
  assert.ok(seen.every(({ bytes: got, bytesTotal = got }) => got <= bytesTotal));
  const last = seen.at(-1)?.bytesTotal ?? 0;
  assert.ok(last === 0 || last < 1.5 * bytes.length, `${last} bytes were expected`);
});

test('what others have brought is not waited for', { timeout: 20_000 }, async (t) => {
  const board = new RecordBoard();
  const quick = await startContentNode(t, board);
  const root = await publishFile(t, quick, randomBytes(24 * leafBytes));
  const [stuck] = await startCopies(t, board, { root, count: 1 });
  assert.ok(stuck);
  const [asked, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  await serveThrough(stuck, async () => {
    asked.resolve();
    await over.promise;
    throw new Error('it has nothing to say');
  });
  // Nobody is left for being silent: the clock stands still once the other one may take over.
  const world = manualWorld();
  const fetcher = await startContentNode(t, board, { world });
  const fetching = fetcher.sites.ensure(root);
  await asked.promise;
  world.advance(hedgeMs + 1);
  assert.equal((await fetching).peers, 1);
  over.resolve();
});

test('a provider with every other block and one with the rest make a whole', async (t) => {
  const board = new RecordBoard();
  const even = await startContentNode(t, board);
  const root = await publishFile(t, even, randomBytes(8 * leafBytes));
  const [odd] = await startCopies(t, board, { root, count: 1 });
  assert.ok(odd);
  const whole = even.blocks.hashes();
  const leaves = whole.filter(
    (hash) => even.blocks.get(Buffer.from(hash, 'hex'))?.length === leafBytes,
  );
  for (const [i, hash] of leaves.entries()) {
    (i % 2 === 0 ? even : odd).blocks.delete(Buffer.from(hash, 'hex'));
  }
  const fetcher = await startContentNode(t, board);
  assert.equal((await fetcher.sites.ensure(root)).peers, 2);
  assert.deepEqual(fetcher.blocks.hashes().toSorted(), whole.toSorted());
});

test('nobody has the last block: the fetch ends, and says so', async (t) => {
  const board = new RecordBoard();
  const a = await startContentNode(t, board);
  const root = await publishFile(t, a, randomBytes(3 * leafBytes));
  const [b] = await startCopies(t, board, { root, count: 1 });
  const lost = a.blocks
    .hashes()
    .find((hash) => a.blocks.get(Buffer.from(hash, 'hex'))?.length === leafBytes);
  for (const node of [a, b]) node?.blocks.delete(Buffer.from(lost ?? '', 'hex'));
  const fetcher = await startContentNode(t, board);
  await assert.rejects(fetcher.sites.ensure(root), { code: 'CONTENT_UNAVAILABLE' });
  assert.equal(fetcher.blocks.size, a.blocks.size, 'the rest has come all the same');
});

test('two readers of one file and one who wants all of it fetch each block once', async (t) => {
  const board = new RecordBoard();
  const a = await startContentNode(t, board);
  // Whoever waits for long asks as well; here no time passes, however slow this machine is.
  const clock = { unixMs: () => Date.now(), monotonicMs: () => 0 };
  const b = await startContentNode(t, board, { world: { ...systemWorld, clock } });
  const bytes = randomBytes(16 * leafBytes);
  const root = await publishFile(t, a, bytes);
  const served = new Map<string, number>();
  const get = a.blocks.get.bind(a.blocks);
  t.mock.method(a.blocks, 'get', (hash: Uint8Array) => {
    served.set(toHex(hash), (served.get(toHex(hash)) ?? 0) + 1);
    return get(hash);
  });
  const readAll = async (): Promise<Buffer> => {
    const pieces: Uint8Array[] = [];
    for await (const piece of (await openFile(b, root)).read()) pieces.push(piece);
    return Buffer.from(concatBytes(...pieces));
  };
  const [one, two] = await Promise.all([readAll(), readAll(), b.sites.ensure(root)]);
  assert.ok(bytes.equals(one) && bytes.equals(two));
  assert.equal(b.blocks.written.length, b.blocks.size);
  assert.deepEqual([...served.keys()].toSorted(), a.blocks.hashes().toSorted());
  assert.deepEqual(new Set(served.values()), new Set([1]));
});

test('a reader who looks at a part does not fetch the rest', async (t) => {
  const board = new RecordBoard();
  const [a, b] = [await startContentNode(t, board), await startContentNode(t, board)];
  const bytes = randomBytes(80 * leafBytes);
  const root = await publishFile(t, a, bytes);
  b.holdings.bytesMax = bytes.length; // too little to bring the site here in the background
  const leaves = Array.from({ length: 80 }, (_, i) =>
    toHex(sha256(bytes.subarray(i * leafBytes, (i + 1) * leafBytes))),
  );
  const served = { leaves: new Set<number>(), streams: 0 };
  const get = (hash: Uint8Array): Uint8Array | undefined => {
    served.leaves.add(leaves.indexOf(toHex(hash)));
    return a.blocks.get(hash);
  };
  const honest = new SyncServer({ get, has: (hash) => a.blocks.has(hash) });
  await a.host.handle(syncProtocol, async (stream) => {
    served.streams++;
    await honest.serve(stream);
    served.streams--;
  });
  const file = await openFile(b, root);
  const from = 2 * leafBytes; // the first leaf comes with the path
  const reading = file.read({ from })[Symbol.asyncIterator]();
  const first = await reading.next();
  assert.ok(first.done !== true);
  assert.ok(bytes.subarray(from, from + first.value.length).equals(first.value));
  while (served.streams > 0) await sleep(5); // given back when nothing has been asked for a while
  const read = (): number[] => [...served.leaves].filter((i) => i > 0).toSorted((i, j) => i - j);
  assert.deepEqual(read(), [2, 3, 4, 5, 6, 7, 8, 9], '2 MiB ahead');
  const seek = { from: 70 * leafBytes, to: 70 * leafBytes + 10 };
  for await (const piece of file.read(seek)) {
    assert.ok(bytes.subarray(seek.from, seek.to).equals(piece), 'while the other one stands still');
  }
  await reading.return?.();
  await b.sites.stop();
  assert.deepEqual(read(), [2, 3, 4, 5, 6, 7, 8, 9, 70]);
});

test('a reader slower than the provider gets everything, and one who leaves stops it', async (t) => {
  const board = new RecordBoard();
  const [a, b] = [await startContentNode(t, board), await startContentNode(t, board)];
  const bytes = randomBytes(40 * leafBytes);
  const root = await publishFile(t, a, bytes);
  const file = await openFile(b, root);
  const pieces: Uint8Array[] = [];
  for await (const piece of file.read()) {
    pieces.push(piece);
    if (pieces.length % 8 === 0) await sleep(20);
  }
  assert.ok(bytes.equals(concatBytes(...pieces)));

  const c = await startContentNode(t, board);
  const leaving = new AbortController();
  const other = await openFile(c, root);
  await assert.rejects(
    async () => {
      for await (const piece of other.read({ signal: leaving.signal })) {
        assert.ok(piece.length > 0);
        leaving.abort(new Error('gone'));
      }
    },
    (error) =>
      error instanceof Error && (error.message === 'gone' || isAltNetError(error, 'ABORTED')),
  );
});

test('a reader comes back to the only provider, left because another reader was faster', async (t) => {
  const board = new RecordBoard();
  const [provider, node] = [await startContentNode(t, board), await startContentNode(t, board)];
  const bytes = randomBytes(24 * leafBytes);
  const root = await publishFile(t, provider, bytes);
  const file = await openFile(node, root);
  const begun = Promise.withResolvers<void>();
  let streams = 0;
  const honest = new SyncServer(provider.blocks);
  await provider.host.handle(syncProtocol, async (stream) => {
    if (streams++ > 0) return honest.serve(stream);
    begun.resolve();
    for await (const chunk of stream.read) assert.ok(chunk); // and never an answer
  });
  const [from, part] = [16 * leafBytes, 2 * leafBytes];
  const all = collect(file.read({ from, to: from + 4 * part }));
  await begun.promise;
  // All that the other one asked for before it was left without an answer.
  await collect(file.read({ from, to: from + 2 * part }));
  assert.ok(Buffer.concat(await all).equals(bytes.subarray(from, from + 4 * part)));
});
