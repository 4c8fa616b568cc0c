import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { open } from 'lmdb';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { auditStore } from '../../test/support/store-audit.ts';
import { openTestStore } from '../../test/support/store-folder.ts';
import { block, hold, isHeld, linkOf } from '../../test/support/store-holdings.ts';
import { oldSizes, writeOldStore, writeStore3 } from '../../test/support/store-old.ts';
import { toHex } from '../base/bytes.ts';

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

test('a store of version 2 forgets what imports remembered, and keeps the rest', async (t) => {
  const folder = temporaryFolder(t);
  await using first = await openTestStore(folder);
  const names = ['imports', 'import/00ff/0', 'import/00ff/1', 'important', 'import'];
  for (const name of names) await first.notes.put(name, Uint8Array.of(1));
  await hold(first, 'site', [block('kept', 9000)], { kind: 'own' });
  await first.close();
  const root = open<Buffer, Buffer>({ path: path.join(folder, 'store/index.mdb'), noSubdir: true });
  const meta = root.openDB<Buffer, Buffer>({
    name: 'meta',
    encoding: 'binary',
    keyEncoding: 'binary',
  });
  meta.putSync(Buffer.from('schema-version'), Buffer.of(0, 0, 0, 2));
  await root.close();
  await using store = await openTestStore(folder);
  const left = names.filter((name) => store.notes.get(name) !== undefined);
  assert.deepEqual(left, ['important', 'import']);
  assert.ok(isHeld(store, 'site') && store.blocks.has(block('kept', 9000).hash));
});

test('a store of version 3 has its blocks in files of their own until they go', async (t) => {
  const folder = temporaryFolder(t);
  const blocks = await writeStore3(folder);
  const [kept, lost, gone] = blocks;
  assert.ok(kept && lost && gone);
  const fileOf = (hash: Uint8Array): string => {
    return path.join(folder, 'store/blocks', toHex(hash).slice(0, 2), toHex(hash));
  };
  assert.deepEqual((await auditStore(folder)).problems, [], 'the old version was whole');
  const store = await openTestStore(folder);
  for (const { hash, bytes } of blocks) assert.deepEqual(store.blocks.get(hash), bytes);
  rmSync(fileOf(lost.hash));
  assert.equal(store.blocks.get(lost.hash), undefined);
  await hold(store, 'new', [block('of today', 30_000), kept, lost]);
  await store.close();
  assert.deepEqual((await auditStore(folder)).problems, []);
  await using again = await openTestStore(folder);
  await again.holdings.remove(linkOf('three').hash);
  assert.deepEqual(
    blocks.map(({ hash }) => existsSync(fileOf(hash))),
    [true, false, false],
  );
  await again.holdings.remove(linkOf('new').hash);
  assert.equal(existsSync(fileOf(kept.hash)), false);
  assert.equal(again.holdings.usage().bytes, 0);
  await again.close();
  const { problems, orphans } = await auditStore(folder);
  assert.deepEqual([problems, orphans], [[], 0]);
});
