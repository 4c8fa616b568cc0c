import assert from 'node:assert/strict';
import { existsSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { openTestStore, testStore } from '../../test/support/store-folder.ts';
import { type Bytes, toHex } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';
import { inlineBytesMax } from './block-index.ts';
import type { Block } from './blocks.ts';
import type { Store } from './store.ts';

function block(size: number, fill: number): Block {
  const bytes = new Uint8Array(size).fill(fill);
  return { hash: sha256(bytes), bytes };
}

function fileOf(folder: string, hash: Bytes): string {
  const name = toHex(hash);
  return path.join(folder, 'store', 'blocks', name.slice(0, 2), name);
}

function assertHeld(store: Store, { hash, bytes }: Block): void {
  assert.ok(store.blocks.has(hash));
  assert.deepEqual(new Uint8Array(store.blocks.get(hash) ?? []), bytes);
}

describe('blocks', () => {
  test('of any size come back as they were put, also after reopening', async (t) => {
    const folder = temporaryFolder(t);
    const sizes = [
      0,
      1,
      inlineBytesMax - 1,
      inlineBytesMax,
      inlineBytesMax + 1,
      262_144,
      1_048_576,
    ];
    const blocks = sizes.map((size, i) => block(size, i + 1));
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    const store = await openTestStore(folder);
    assert.equal(store.blocks.has(blocks[0]?.hash ?? new Uint8Array(32)), false);
    await store.blocks.putAll(blocks);
    for (const one of blocks) assertHeld(store, one);
    assert.deepEqual(store.blocks.stats(), { blocks: sizes.length, bytes });
    await store.close();
    await using again = await openTestStore(folder);
    for (const one of blocks) assertHeld(again, one);
    assert.deepEqual(again.blocks.stats(), { blocks: sizes.length, bytes });
  });

  test('are counted once, however often they are put, and no more once removed', async (t) => {
    const { store, folder } = await testStore(t);
    const small = block(10, 1);
    const large = block(10_000, 2);
    await Promise.all([
      store.blocks.putAll([small, large, small]),
      store.blocks.putAll([large]),
      store.blocks.putAll([]),
    ]);
    await store.blocks.putAll([small]);
    assert.deepEqual(store.blocks.stats(), { blocks: 2, bytes: 10_010 });
    await store.blocks.remove([large.hash, large.hash, new Uint8Array(32)]);
    assert.deepEqual(store.blocks.stats(), { blocks: 1, bytes: 10 });
    assert.equal(store.blocks.get(large.hash), undefined);
    assert.equal(existsSync(fileOf(folder, large.hash)), false);
    assertHeld(store, small);
  });

  test('do what was asked in the order in which it was asked', async (t) => {
    const { store } = await testStore(t);
    const one = block(5000, 1);
    const wait = [
      store.blocks.putAll([one]),
      store.blocks.remove([one.hash]),
      store.blocks.putAll([one]),
    ];
    await Promise.all(wait);
    assertHeld(store, one);
    assert.deepEqual(store.blocks.stats(), { blocks: 1, bytes: 5000 });
  });

  test('whose file was lost or cut are reported absent and can be put again', async (t) => {
    const { store, folder } = await testStore(t);
    const cut = block(9000, 1);
    await store.blocks.putAll([cut]);
    truncateSync(fileOf(folder, cut.hash), 100);
    assert.equal(store.blocks.get(cut.hash), undefined);
    await store.blocks.idle();
    assert.equal(store.blocks.has(cut.hash), false);
    assert.deepEqual(store.blocks.stats(), { blocks: 0, bytes: 0 });
    await store.blocks.putAll([cut]);
    assertHeld(store, cut);
  });

  test('are put in order after a crash: files without entry and entries without file', async (t) => {
    const folder = temporaryFolder(t);
    const kept = block(9000, 1);
    const lost = block(8000, 2);
    const orphan = block(7000, 3);
    const store = await openTestStore(folder);
    await store.blocks.putAll([kept, lost, orphan]);
    await store.blocks.remove([orphan.hash]);
    await store.close();
    truncateSync(fileOf(folder, lost.hash), 0);
    writeFileSync(fileOf(folder, orphan.hash), orphan.bytes);
    // The claim of a process that is long gone: what a crash leaves.
    writeFileSync(path.join(folder, 'store', 'in-use-by-1-1-0'), '');
    await using again = await openTestStore(folder);
    assertHeld(again, kept);
    assert.equal(again.blocks.has(lost.hash), false);
    assert.deepEqual(again.blocks.stats(), { blocks: 1, bytes: 9000 });
    assert.equal(existsSync(fileOf(folder, orphan.hash)), false);
  });

  test('behave as a map under any sequence of puts and removals', async (t) => {
    const { store } = await testStore(t);
    const all = Array.from({ length: 8 }, (_, i) => block(i % 2 === 0 ? 50 + i : 5000 + i, i));
    const step = fc.record({
      put: fc.boolean(),
      which: fc.uniqueArray(fc.nat(all.length - 1), { maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        await store.blocks.remove(all.map(({ hash }) => hash));
        const model = new Map<number, Block>();
        const done: Promise<void>[] = [];
        for (const { put, which } of steps) {
          const chosen = which.flatMap((i) => all[i] ?? []);
          for (const i of which) {
            const one = all[i];
            if (put && one) model.set(i, one);
            else model.delete(i);
          }
          const hashes = chosen.map(({ hash }) => hash);
          done.push(put ? store.blocks.putAll(chosen) : store.blocks.remove(hashes));
        }
        await Promise.all(done);
        const bytes = [...model.values()].reduce((sum, one) => sum + one.bytes.length, 0);
        assert.deepEqual(store.blocks.stats(), { blocks: model.size, bytes });
        for (const [i, one] of all.entries()) {
          assert.equal(store.blocks.has(one.hash), model.has(i));
          if (model.has(i)) assertHeld(store, one);
        }
      }),
      { numRuns: 30 },
    );
  });
});
