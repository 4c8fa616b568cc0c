/** What is brought here in a store that has little room, or loses what was there. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { CID } from 'multiformats/cid';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { KeeperBoard, RecordBoard, startContentNode } from '../../test/support/content-net.ts';
import type { MemoryBlocks } from '../../test/support/memory-blocks.ts';
import { startStoreNode } from '../../test/support/store-net.ts';
import { type Bytes, toHex } from '../base/bytes.ts';
import { encodeNode } from './dag/encode-node.ts';
import { cidOf, type Link, requireLink } from './dag/root.ts';

async function siteOf(t: TestContext, files: Readonly<Record<string, Bytes>>): Promise<string> {
  const folder = temporaryFolder(t);
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), bytes);
  }
  return folder;
}

test('what is lost between "it is here" and "it is ours" is fetched once more', async (t) => {
  const board = new RecordBoard();
  const [author, reader] = [await startContentNode(t, board), await startContentNode(t, board)];
  const shared = randomBytes(300_000);
  const old = await author.sites.publish(await siteOf(t, { shared, page: randomBytes(1000) }));
  const next = await author.sites.publish(await siteOf(t, { shared, page: randomBytes(1000) }));
  await reader.sites.ensure(old.root);
  const open = reader.holdings.open.bind(reader.holdings);
  let lost = 0;
  reader.holdings.open = async (what) => ({
    ...(await open(what)),
    adopt: (hashes) => {
      const gone = lost < 2 ? [...hashes].slice(-2) : []; // evicted just now, with the old site
      lost += gone.length;
      for (const hash of gone) reader.blocks.delete(hash);
      return Promise.resolve(gone);
    },
  });
  assert.equal((await reader.sites.ensure(next.root)).files, 2);
  assert.equal(lost, 2);
  assert.equal(reader.holdings.get(requireLink(next.root).hash)?.complete, true);
  const bytes = reader.blocks.hashes().toSorted();
  assert.deepEqual(bytes, author.blocks.hashes().toSorted());
});

test('a site that claims more than fits leaves the others here, and says so', async (t) => {
  const board = new RecordBoard();
  const author = await startContentNode(t, board);
  const reader = await startStoreNode(t, board, { budgetBytes: 8_000_000 });
  const small = await author.sites.publish(await siteOf(t, { page: randomBytes(500_000) }));
  const large = await author.sites.publish(await siteOf(t, { page: randomBytes(9_000_000) }));
  await reader.sites.ensure(small.root);
  await assert.rejects(reader.sites.ensure(large.root), { code: 'STORE_FULL' });
  const isHere = (root: CID): boolean | undefined =>
    reader.store.holdings.get(requireLink(root).hash)?.complete;
  assert.equal(isHere(small.root), true);
  assert.ok(reader.store.holdings.usage().bytes < 4_000_000);
});

/** A file of 20 leaves of 256 KiB, of which it says that they have ten octets each. */
function putUnderstated(blocks: MemoryBlocks): Link {
  const leaves = Array.from({ length: 20 }, () => blocks.add(randomBytes(256 * 1024)));
  const data = Uint8Array.of(0x08, 0x02, 0x18, 0xc8, 0x01, ...leaves.flatMap(() => [0x20, 10]));
  const links = leaves.map((hash) => ({ name: '', codec: 'raw' as const, hash, total: 10 }));
  return { codec: 'dag-pb', hash: blocks.add(encodeNode(data, links)) };
}

test('a site that says less than it is takes a share of the room and not all of it', async (t) => {
  const board = new RecordBoard();
  const author = await startContentNode(t, board);
  const reader = await startStoreNode(t, board, { budgetBytes: 8_000_000 });
  const small = await author.sites.publish(await siteOf(t, { page: randomBytes(3_000_000) }));
  await reader.sites.ensure(small.root);
  const link = putUnderstated(author.blocks);
  await using holding = await author.holdings.open({ kind: 'own', root: link });
  await holding.complete({ link, files: 1, bytes: 200 });
  await author.sites.reprovide();
  await assert.rejects(reader.sites.ensure(cidOf(link)), {
    code: 'CONTENT_BAD',
    message: /larger than this node takes/,
  });
  assert.equal(reader.store.holdings.get(requireLink(small.root).hash)?.complete, true);
});

test('a copy may take nearly all that one peer may store, and be updated', async (t) => {
  const board = new RecordBoard();
  const keepers = new KeeperBoard();
  const keeper = await startStoreNode(t, board, {
    budgetBytes: 8_000_000,
    perPeerBudgetBytes: 2_000_000,
    keepers,
  });
  const author = await startStoreNode(t, board, { keepers, replication: { replicas: 1 } });
  keepers.add(keeper);
  const [page, changed] = [randomBytes(1_500_000), randomBytes(1000)];
  const first = await author.sites.publish(await siteOf(t, { page }));
  assert.deepEqual([first.replicas, first.refused], [1, []]);
  const folder = await siteOf(t, { page, changed });
  const next = await author.sites.publish(folder, { replaces: first.root });
  assert.deepEqual([next.replicas, next.refused], [1, []]);
  const held = [...keeper.store.holdings.list()].map(({ hash }) => toHex(hash));
  assert.deepEqual(held, [toHex(requireLink(next.root).hash)], 'no room for both');
});

test('what was visited can be kept for a peer that has room for it once', async (t) => {
  const board = new RecordBoard();
  const keepers = new KeeperBoard();
  const keeper = await startStoreNode(t, board, {
    budgetBytes: 8_000_000,
    perPeerBudgetBytes: 2_000_000,
    keepers,
  });
  const author = await startStoreNode(t, board, { keepers, replication: { replicas: 1 } });
  const folder = await siteOf(t, { page: randomBytes(1_500_000) });
  const { root } = await author.sites.publish(folder);
  await keeper.sites.ensure(root);
  keepers.add(keeper);
  const { replicas, refused } = await author.sites.publish(folder);
  assert.deepEqual([replicas, refused], [1, []]);
});
