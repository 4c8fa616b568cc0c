import assert from 'node:assert/strict';
import { existsSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { openTestStore, putInto, testStore } from '../../test/support/store-folder.ts';
import { sha256 } from '../base/hash.ts';
import type { Block } from '../content/ports.ts';
import { inlineBytesMax } from './block-index.ts';
import type { Store } from './store.ts';

const root = sha256(Uint8Array.of(1));

function block(size: number, fill: number): Block {
  const bytes = new Uint8Array(size).fill(fill);
  return { hash: sha256(bytes), bytes };
}

/** Of the pack that was written first, second, … into a new store. */
function packOf(folder: string, number: number): string {
  return path.join(folder, 'store', 'packs', number.toString(16).padStart(8, '0'));
}

function assertHeld(store: Store, { hash, bytes }: Block): void {
  assert.ok(store.blocks.has(hash));
  assert.deepEqual(new Uint8Array(store.blocks.get(hash) ?? []), bytes);
}

describe('blocks', () => {
  test('of any size come back as they were put, also after reopening', async (t) => {
    const folder = temporaryFolder(t);
    const sizes = [0, 1, inlineBytesMax - 1, inlineBytesMax, inlineBytesMax + 1, 262_144, 1 << 20];
    const blocks = sizes.map((size, i) => block(size, i + 1));
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    const store = await openTestStore(folder);
    assert.equal(store.blocks.has(blocks[0]?.hash ?? new Uint8Array(32)), false);
    await putInto(store, root, blocks);
    for (const one of blocks) assertHeld(store, one);
    assert.deepEqual(store.blocks.stats(), { blocks: sizes.length, bytes });
    await store.close();
    await using again = await openTestStore(folder);
    for (const one of blocks) assertHeld(again, one);
    assert.deepEqual(again.blocks.stats(), { blocks: sizes.length, bytes });
  });

  test('are counted once, however often they are put, and gone with their holding', async (t) => {
    const { store, folder } = await testStore(t);
    const small = block(10, 1);
    const large = block(10_000, 2);
    await Promise.all([
      putInto(store, root, [small, large, small]),
      putInto(store, root, [large]),
      putInto(store, root, []),
    ]);
    await putInto(store, small.hash, [small]);
    assert.deepEqual(store.blocks.stats(), { blocks: 2, bytes: 10_010 });
    await store.holdings.remove(root);
    assert.deepEqual(store.blocks.stats(), { blocks: 1, bytes: 10 });
    assert.equal(store.blocks.get(large.hash), undefined);
    assert.equal(existsSync(packOf(folder, 1)), false);
    assertHeld(store, small);
  });

  test('whose pack was lost or cut are reported absent and can be put again', async (t) => {
    const { store, folder } = await testStore(t);
    const [kept, cut, lost] = [block(9000, 1), block(9000, 2), block(9000, 3)];
    await putInto(store, root, [kept, cut]);
    await putInto(store, root, [lost]);
    truncateSync(packOf(folder, 1), 15_000);
    rmSync(packOf(folder, 2));
    assert.equal(store.blocks.get(cut.hash), undefined);
    assert.equal(store.blocks.get(lost.hash), undefined);
    assertHeld(store, kept);
    await putInto(store, root, [cut, lost]);
    for (const one of [kept, cut, lost]) assertHeld(store, one);
    assert.deepEqual(store.blocks.stats(), { blocks: 3, bytes: 27_000 });
  });

  test('are put in order after a crash: files without entry and entries without file', async (t) => {
    const folder = temporaryFolder(t);
    const kept = block(19_000, 1);
    const lost = block(18_000, 2);
    const orphan = block(17_000, 3);
    const store = await openTestStore(folder);
    await putInto(store, root, [kept]);
    await putInto(store, root, [lost]);
    await putInto(store, orphan.hash, [orphan]);
    await store.holdings.remove(orphan.hash);
    await store.close();
    truncateSync(packOf(folder, 2), 0);
    writeFileSync(packOf(folder, 3), orphan.bytes);
    // The claim of a process that is long gone: what a crash leaves.
    writeFileSync(path.join(folder, 'store', 'in-use-by-1-1-0'), '');
    await using again = await openTestStore(folder);
    assertHeld(again, kept);
    assert.equal(again.blocks.has(lost.hash), false);
    assert.deepEqual(again.blocks.stats(), { blocks: 1, bytes: 19_000 });
    assert.deepEqual(
      [2, 3].map((number) => existsSync(packOf(folder, number))),
      [false, false],
    );
  });
});
