/** What a disk has changed is neither shown nor written, and is had from others again. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import type { CID } from 'multiformats/cid';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { RecordBoard } from '../../test/support/content-net.ts';
import { rot } from '../../test/support/rot.ts';
import { startStoreNode, type StoreNode } from '../../test/support/store-net.ts';

const chunkBytes = 256 * 1024;
const video = randomBytes(6 * chunkBytes);
const page = randomBytes(100_000);

/** One node published the site, the other has fetched it, and its disk changed some of it. */
async function makeRotted(t: TestContext): Promise<{ a: StoreNode; b: StoreNode; root: CID }> {
  const board = new RecordBoard();
  const [a, b] = [await startStoreNode(t, board), await startStoreNode(t, board)];
  const folder = temporaryFolder(t);
  await writeFile(path.join(folder, 'video'), video);
  await writeFile(path.join(folder, 'page'), page);
  const { root } = await a.sites.publish(folder);
  await b.sites.ensure(root);
  const packs = path.join(b.folder, 'store/packs');
  rot(packs, page);
  for (const chunk of [1, 2, 5]) rot(packs, chunkOf(chunk));
  return { a, b, root };
}

function chunkOf(index: number): Buffer {
  return video.subarray(index * chunkBytes, (index + 1) * chunkBytes);
}

async function read({ sites }: StoreNode, root: CID, name: string): Promise<Buffer> {
  const entry = await sites.open(root, name);
  const pieces: Uint8Array[] = [];
  if (entry.type === 'file') for await (const piece of entry.read()) pieces.push(piece.slice());
  return Buffer.concat(pieces);
}

test('a reader gets what was published', async (t) => {
  const { b, root } = await makeRotted(t);
  assert.ok(video.equals(await read(b, root, 'video')));
  assert.ok(page.equals(await read(b, root, 'page')));
});

test('a reader gets nothing else where nobody has it any more', async (t) => {
  const { a, b, root } = await makeRotted(t);
  await a.host.stop();
  await assert.rejects(read(b, root, 'video'), { code: 'CONTENT_UNAVAILABLE' });
  await assert.rejects(read(b, root, 'page'), { code: 'CONTENT_UNAVAILABLE' });
});

test('a site is written as it was published, or not at all', async (t) => {
  const { a, b, root } = await makeRotted(t);
  const dest = path.join(temporaryFolder(t), 'site');
  await b.sites.fetch(root, dest);
  assert.ok(video.equals(await readFile(path.join(dest, 'video'))));
  assert.ok(page.equals(await readFile(path.join(dest, 'page'))));
  await a.host.stop();
  rot(path.join(b.folder, 'store/packs'), chunkOf(3));
  const another = path.join(temporaryFolder(t), 'site');
  await assert.rejects(b.sites.fetch(root, another), { code: 'CONTENT_UNAVAILABLE' });
  assert.ok(!existsSync(another));
});
