import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { concatBytes, toHex } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { RecordBoard, startContentNode } from '../../test/support/content-net.ts';
import { cidOf, requireLink } from './dag/root.ts';
import type { SiteEntry } from './types.ts';

const big = randomBytes(3_000_000);

async function makeSite(t: TestContext): Promise<string> {
  const folder = temporaryFolder(t);
  await mkdir(path.join(folder, 'a/b'), { recursive: true });
  await writeFile(path.join(folder, 'index.html'), '<h1>hello</h1>');
  await writeFile(path.join(folder, 'a/b/deep.txt'), 'deep');
  await writeFile(path.join(folder, 'a/big.bin'), big);
  await writeFile(path.join(folder, '.secret'), 'not published');
  return folder;
}

async function readEntry(entry: SiteEntry, range?: { from: number; to: number }): Promise<Buffer> {
  assert.equal(entry.type, 'file');
  const pieces: Uint8Array[] = [];
  if (entry.type === 'file') for await (const piece of entry.read(range)) pieces.push(piece);
  return Buffer.from(concatBytes(...pieces));
}

test('a published site is fetched, written and then provided by the fetcher', async (t) => {
  const board = new RecordBoard();
  const [a, b, c] = [
    await startContentNode(t, board),
    await startContentNode(t, board),
    await startContentNode(t, board),
  ];
  const { root, files, bytes, announced, entry } = await a.sites.publish(await makeSite(t));
  assert.deepEqual({ files, announced, entry }, { files: 3, announced: 1, entry: '' });
  assert.equal(bytes, big.length + 18);

  const dest = path.join(temporaryFolder(t), 'copy');
  const summary = await b.sites.fetch(root, dest);
  assert.deepEqual([summary.files, summary.bytes, summary.peers], [3, bytes, 1]);
  assert.deepEqual((await readdir(dest)).toSorted(), ['a', 'index.html']);
  assert.ok(big.equals(await readFile(path.join(dest, 'a/big.bin'))));
  assert.deepEqual(b.blocks.hashes().toSorted(), a.blocks.hashes().toSorted());
  assert.equal(b.blocks.written.length, b.blocks.size, 'no block came twice');

  await a.host.stop();
  await b.sites.stop(); // waits for the announcement
  assert.equal(board.providers(), 2);
  const again = new RecordBoard();
  assert.equal(again.providers(), 0);
  assert.equal(c.blocks.size, 0);
});

test('what is being written to a folder is open, and so is not evicted meanwhile', async (t) => {
  const board = new RecordBoard();
  const [a, b] = [await startContentNode(t, board), await startContentNode(t, board)];
  const { root } = await a.sites.publish(await makeSite(t));
  await b.sites.ensure(root);
  const { blocks, holdings } = b;
  let open = 0;
  const [openHolding, get] = [holdings.open.bind(holdings), blocks.get.bind(blocks)];
  holdings.open = async (what) => {
    const holding = await openHolding(what);
    open++;
    const close = (): Promise<void> => {
      open--;
      return holding.close();
    };
    return { ...holding, close, [Symbol.asyncDispose]: close };
  };
  const readWhileClosed: string[] = [];
  blocks.get = (hash) => {
    if (open === 0) readWhileClosed.push(toHex(hash));
    return get(hash);
  };
  await b.sites.fetch(root, path.join(temporaryFolder(t), 'copy'));
  assert.deepEqual(readWhileClosed, []);
  assert.equal(open, 0);
});

test('a site outlives its publisher once somebody has fetched it', async (t) => {
  const board = new RecordBoard();
  const [a, b, c] = [
    await startContentNode(t, board),
    await startContentNode(t, board),
    await startContentNode(t, board),
  ];
  const { root } = await a.sites.publish(await makeSite(t));
  await b.sites.ensure(root);
  while (board.providers() < 2) await new Promise((resolve) => setImmediate(resolve));
  await a.host.stop();
  const { peers } = await c.sites.ensure(root);
  assert.equal(peers, 1);
  assert.equal(c.blocks.size, a.blocks.size);
});

test('open brings the path first and the whole site afterwards', async (t) => {
  const board = new RecordBoard();
  const [a, b] = [await startContentNode(t, board), await startContentNode(t, board)];
  const { root } = await a.sites.publish(await makeSite(t));

  const folder = await b.sites.open(root, 'a');
  assert.ok(folder.type === 'folder');
  assert.deepEqual(
    folder.entries.map(({ name }) => name),
    ['b', 'big.bin'],
  );
  assert.equal((await readEntry(await b.sites.open(root, 'a/b/deep.txt'))).toString(), 'deep');
  const file = await b.sites.open(root, '/a/big.bin');
  const range = { from: 1_000_000, to: 1_000_500 };
  assert.ok(big.subarray(range.from, range.to).equals(await readEntry(file, range)));
  assert.ok(big.equals(await readEntry(file)));
  while (!b.holdings.list().some(({ complete }) => complete))
    await new Promise((resolve) => setImmediate(resolve));
  assert.equal(b.blocks.size, a.blocks.size);

  await assert.rejects(b.sites.open(root, 'a/none'), { code: 'CONTENT_NO_PATH' });
  await assert.rejects(b.sites.open(root, 'index.html/x'), { code: 'CONTENT_NO_PATH' });
  await assert.rejects(b.sites.open(root, 'x/'.repeat(100)), { code: 'CONTENT_NO_PATH' });
});

test('a range of a large file costs only its blocks', async (t) => {
  const board = new RecordBoard();
  const [a, b] = [await startContentNode(t, board), await startContentNode(t, board)];
  const { root } = await a.sites.publish(await makeSite(t));
  const file = await b.sites.open(root, 'a/big.bin');
  assert.ok(file.type === 'file');
  for await (const piece of file.read({ from: 2_000_000, to: 2_000_010 })) {
    assert.ok(big.subarray(2_000_000, 2_000_010).equals(piece));
    break;
  }
  while (b.blocks.size < 4) await new Promise((resolve) => setImmediate(resolve));
  await b.sites.stop();
  assert.ok(b.blocks.size <= 5, 'two folders, the node of the file, one leaf, maybe the first one');
});

test('a large folder is sharded and opened by path all the same', async (t) => {
  const board = new RecordBoard();
  const [a, b] = [await startContentNode(t, board), await startContentNode(t, board)];
  const folder = temporaryFolder(t);
  const names = Array.from(
    { length: 4000 },
    (_, i) => `entry-with-a-long-name-${'x'.repeat(40)}-${i}`,
  );
  await Promise.all(names.map((name) => writeFile(path.join(folder, name), name)));
  const { root } = await a.sites.publish(folder);
  const name = names[1234] ?? '';
  assert.equal((await readEntry(await b.sites.open(root, name))).toString(), name);
  await assert.rejects(b.sites.open(root, 'entry-with'), { code: 'CONTENT_NO_PATH' });
  const listing = await b.sites.open(root, '');
  assert.ok(listing.type === 'folder');
  assert.deepEqual(
    listing.entries.map((one) => one.name),
    names.toSorted(),
  );
});

test('a lone file keeps its name', async (t) => {
  const board = new RecordBoard();
  const a = await startContentNode(t, board);
  const at = path.join(temporaryFolder(t), 'größe.pdf');
  await writeFile(at, 'pdf');
  const { root, entry, files } = await a.sites.publish(at);
  assert.deepEqual([entry, files, root.code], ['/größe.pdf', 1, 0x70]);
  assert.equal((await readEntry(await a.sites.open(root, entry))).toString(), 'pdf');
});

test('values are kept, provided and found by their hash', async (t) => {
  const board = new RecordBoard();
  const [a, b] = [await startContentNode(t, board), await startContentNode(t, board)];
  const { hash, stored } = await a.sites.putValue(Buffer.from('a small value'));
  assert.equal(stored, 1);
  assert.equal(toHex(hash), toHex(sha256(Buffer.from('a small value'))));
  assert.equal(Buffer.from(await b.sites.getValue(hash)).toString(), 'a small value');
  await assert.rejects(a.sites.putValue(new Uint8Array(65_537)), { code: 'VALUE_TOO_BIG' });
  await assert.rejects(b.sites.getValue(randomBytes(32)), { code: 'NO_PROVIDERS' });
});

test('callers of the same root share the work, and one may leave', async (t) => {
  const board = new RecordBoard();
  const [a, b] = [await startContentNode(t, board), await startContentNode(t, board)];
  const { root } = await a.sites.publish(await makeSite(t));
  const leaving = new AbortController();
  const left = b.sites.ensure(root, { signal: leaving.signal });
  const stayed = Promise.all([b.sites.ensure(root), b.sites.ensure(root)]);
  leaving.abort(new AltNetError('ABORTED', {}));
  await assert.rejects(left, { code: 'ABORTED' });
  const results = await stayed;
  assert.deepEqual(results[0], results[1]);
  assert.equal(board.searches, 1);
  assert.equal(b.blocks.written.length, b.blocks.size);
});

test('nobody has it, or nobody can be reached', async (t) => {
  const board = new RecordBoard();
  const [a, b] = [await startContentNode(t, board), await startContentNode(t, board)];
  const unknown = cidOf({ codec: 'dag-pb', hash: randomBytes(32) });
  await assert.rejects(b.sites.ensure(unknown), { code: 'NO_PROVIDERS' });
  const { root } = await a.sites.publish(await makeSite(t));
  await a.host.stop();
  await assert.rejects(b.sites.ensure(root), { code: 'CONTENT_UNAVAILABLE' });
});

test('a damaged copy is completed and not fetched anew', async (t) => {
  const board = new RecordBoard();
  const [a, b] = [await startContentNode(t, board), await startContentNode(t, board)];
  const { root } = await a.sites.publish(await makeSite(t));
  await b.sites.ensure(root);
  const before = b.blocks.written.length;
  const lost = b.blocks.written.filter((hash) => toHex(hash) !== toHex(requireLink(root).hash));
  for (const hash of lost.slice(0, 3)) b.blocks.delete(hash);
  await b.sites.ensure(root);
  const came = b.blocks.written.slice(before).map(toHex);
  assert.ok(lost.slice(0, 3).every((hash) => came.includes(toHex(hash))));
  assert.ok(came.length <= 5, 'below a lost node other nodes may come again, but no leaf');
  assert.equal(b.blocks.size, a.blocks.size);
});

test('an update brings only what changed', async (t) => {
  const board = new RecordBoard();
  const [a, b] = [await startContentNode(t, board), await startContentNode(t, board)];
  const folder = await makeSite(t);
  const { root } = await a.sites.publish(folder);
  await b.sites.ensure(root);
  await writeFile(path.join(folder, 'index.html'), '<h1>changed</h1>');
  const updated = await a.sites.publish(folder);
  const before = b.blocks.written.length;
  await b.sites.ensure(updated.root);
  const came = b.blocks.written.length - before;
  // The folders and the node of the large file come again with the structure; no leaf does.
  assert.ok(came <= 5, `${came} blocks`);
  assert.equal(b.blocks.size, a.blocks.size);
});

test('everything that is held is announced again on request', async (t) => {
  const board = new RecordBoard();
  const a = await startContentNode(t, board);
  await a.sites.publish(await makeSite(t));
  await a.sites.putValue(Buffer.from('value'));
  const again = new RecordBoard();
  const publish = board.publish.bind(board);
  board.publish = async (record) => {
    await again.publish(record);
    return publish(record);
  };
  await a.sites.reprovide();
  assert.equal(again.providers(), 2);
});

test('a site that is too large a part of the store is kept in part', async (t) => {
  const board = new RecordBoard();
  const [a, b] = [await startContentNode(t, board), await startContentNode(t, board)];
  const { root, bytes } = await a.sites.publish(await makeSite(t));
  b.holdings.bytesMax = 2 * bytes;
  const file = await b.sites.open(root, 'index.html');
  assert.equal((await readEntry(file)).toString(), '<h1>hello</h1>');
  await b.sites.stop();
  assert.ok(b.blocks.size < 4, 'nothing was fetched but the page and what leads to it');
  assert.equal(b.holdings.get(requireLink(root).hash)?.complete, false);
});
