/** Blocks that turn out to be gone while a holding that names them is being written. */
import assert from 'node:assert/strict';
import { readdirSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { testStore } from '../../test/support/store-folder.ts';
import { block, hold, linkOf, untilQuiet } from '../../test/support/store-holdings.ts';

test('a holding is not complete while what it named is gone, and is once that is back', async (t) => {
  const { store, folder } = await testStore(t);
  const blocks = Array.from({ length: 4 }, (_, i) => block(`some ${i}`, 20_000));
  await hold(store, 'before', blocks);
  const packs = path.join(folder, 'store', 'packs');
  for (const name of readdirSync(packs)) truncateSync(path.join(packs, name), 100);
  const root = { link: linkOf('after'), files: 1, bytes: 1 };
  await using holding = await store.holdings.open({ kind: 'own' });
  await holding.putAll(blocks); // named only: the index says that they are here
  for (const { hash } of blocks) assert.equal(store.blocks.get(hash), undefined);
  await assert.rejects(holding.complete(root), { code: 'CONTENT_UNAVAILABLE' });
  assert.equal(store.holdings.get(root.link.hash)?.complete ?? false, false);
  await holding.putAll(blocks.slice(1));
  await assert.rejects(holding.complete(root), { code: 'CONTENT_UNAVAILABLE' });
  await holding.putAll(blocks.slice(0, 1));
  await holding.complete(root);
  await untilQuiet(store);
  assert.equal(store.holdings.get(root.link.hash)?.complete, true);
  for (const { hash, bytes } of blocks) {
    assert.deepEqual(new Uint8Array(store.blocks.get(hash) ?? []), new Uint8Array(bytes));
  }
});
