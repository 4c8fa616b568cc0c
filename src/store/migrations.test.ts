import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { open } from 'lmdb';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { auditStore } from '../../test/support/store-audit.ts';
import { openTestStore } from '../../test/support/store-folder.ts';
import { type Bytes, toHex } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';

const sizes = [40, 700, 3000, 4096, 20_000, 300_000];

/** A store as version 1 has written it: one own root, one visited, and a block of neither. */
async function oldStore(folder: string): Promise<Bytes[]> {
  const store = path.join(folder, 'store');
  mkdirSync(store, { recursive: true });
  const root = open<Buffer, Buffer>({
    path: path.join(store, 'index.mdb'),
    noSubdir: true,
    maxDbs: 16,
  });
  const table = (name: string): ReturnType<typeof root.openDB<Buffer, Buffer>> =>
    root.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' });
  const hashes = sizes.map((size, i) => {
    const bytes = Buffer.alloc(size, i + 1);
    const hash = Buffer.from(sha256(bytes));
    const length = Buffer.alloc(5, 1);
    length.writeUInt32BE(size, 1);
    const isInline = size <= 4096;
    table('blocks').putSync(hash, isInline ? Buffer.concat([Buffer.of(0), bytes]) : length);
    if (isInline) return hash;
    const name = toHex(hash);
    mkdirSync(path.join(store, 'blocks', name.slice(0, 2)), { recursive: true });
    writeFileSync(path.join(store, 'blocks', name.slice(0, 2), name), bytes);
    return hash;
  });
  for (const [i, own] of [1, 0].entries()) {
    const value = Buffer.alloc(26);
    value.writeUInt8(1, 0);
    value.writeUInt8(own, 1);
    value.writeDoubleBE(3, 2);
    value.writeDoubleBE(1234, 10);
    value.writeDoubleBE(1_700_000_000_000, 18);
    table('roots').putSync(hashes[i] ?? Buffer.alloc(32), value);
  }
  const counts = Buffer.alloc(16);
  counts.writeDoubleBE(sizes.length, 0);
  table('meta').putSync(Buffer.from('block-counts'), counts);
  table('meta').putSync(Buffer.from('schema-version'), Buffer.of(0, 0, 0, 1));
  await root.close();
  return hashes;
}

test('a store of version 1 keeps everything, and what no root names goes at the end', async (t) => {
  const folder = temporaryFolder(t);
  const hashes = await oldStore(folder);
  for (let i = 0; i < 2; i++) {
    await using store = await openTestStore(folder);
    for (const [at, hash] of hashes.entries()) {
      assert.equal(store.blocks.get(hash)?.length, sizes[at], 'nothing is lost');
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
