import assert from 'node:assert/strict';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { auditStore } from '../../test/support/store-audit.ts';
import { openTestStore } from '../../test/support/store-folder.ts';
import { oldSizes, writeOldStore } from '../../test/support/store-old.ts';

test('a store of version 1 keeps everything, and what no root names goes at the end', async (t) => {
  const folder = temporaryFolder(t);
  const hashes = await writeOldStore(folder);
  for (let i = 0; i < 2; i++) {
    await using store = await openTestStore(folder);
    for (const [at, hash] of hashes.entries()) {
      assert.equal(store.blocks.get(hash)?.length, oldSizes[at], 'nothing is lost');
    }
    assert.equal(store.unnamed.list().length, 2);
    await store.close();
    assert.deepEqual((await auditStore(folder)).problems, []);
  }
  const store = await openTestStore(folder);
  const [first, second] = store.unnamed.list();
  assert.deepEqual(new Set([first?.kind, second?.kind]), new Set(['own', 'visited']));
  assert.ok(first?.complete && first.files === 3 && first.bytes === 1234 && first.codec === 'raw');
  // The first root is walked: two blocks are its. The second cannot be.
  const link = { codec: 'raw', hash: first.hash } as const;
  const named = [first.hash, hashes[4] ?? first.hash];
  await using holding = await store.holdings.open({ kind: first.kind, root: link });
  assert.deepEqual(await holding.adopt(named), []);
  await holding.complete({ link, files: first.files, bytes: first.bytes });
  await store.unnamed.finish();
  assert.deepEqual(store.unnamed.list(), []);
  assert.equal(store.holdings.get(first.hash)?.complete, true);
  assert.equal(store.holdings.get(second?.hash ?? first.hash)?.complete, false);
  await store.close();
  await (await openTestStore(folder)).close();
  const audit = await auditStore(folder);
  assert.deepEqual(audit.problems, []);
  assert.equal(audit.complete.length, 1);
});
