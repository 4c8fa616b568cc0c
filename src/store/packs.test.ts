import assert from 'node:assert/strict';
import {
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { auditStore, type StoreAudit } from '../../test/support/store-audit.ts';
import { openTestStore, testStore } from '../../test/support/store-folder.ts';
import { block, hold, isHeld, linkOf, untilQuiet } from '../../test/support/store-holdings.ts';
import type { Block } from '../content/ports.ts';
import { Environment } from './environment.ts';
import { PackFiles } from './pack-files.ts';
import type { Store } from './store.ts';

function packsOf(folder: string): string[] {
  return readdirSync(path.join(folder, 'store/packs')).map((name) => {
    return path.join(folder, 'store/packs', name);
  });
}

function named(prefix: string, count: number, size = 20_000): Block[] {
  return Array.from({ length: count }, (_, i) => block(`${prefix} ${i}`, size));
}

function assertHere(store: Store, blocks: readonly Block[]): void {
  for (const { hash, bytes } of blocks) assert.deepEqual(store.blocks.get(hash), bytes);
}

async function auditClosed(store: Store, folder: string): Promise<StoreAudit> {
  await store.close();
  const audit = await auditStore(folder);
  assert.deepEqual(audit.problems, []);
  assert.equal(audit.orphans, 0);
  assert.equal(audit.cost, store.holdings.usage().bytes);
  return audit;
}

/** Ten blocks in one pack, of which only some are named still. */
async function leaveOf(store: Store, kept: number, from = 0): Promise<Block[]> {
  const blocks = named('some', 10);
  const left = blocks.slice(from, from + kept);
  await hold(store, 'all', blocks);
  await hold(store, 'some', left, { kind: 'own' });
  await store.holdings.remove(linkOf('all').hash);
  return left;
}

function isOpenIn(fd: string, folder: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).startsWith(path.join(folder, 'store/packs'));
  } catch {
    return false; // the one that listed the folder
  }
}

describe('a pack', () => {
  test('is one file for all that was put at once, and goes with the last of it', async (t) => {
    const { store, folder } = await testStore(t);
    const blocks = named('a', 100, 9000);
    await hold(store, 'one', blocks);
    assert.equal(packsOf(folder).length, 1);
    assertHere(store, blocks);
    await store.holdings.remove(linkOf('one').hash);
    assert.deepEqual(packsOf(folder), []);
    assert.equal(store.holdings.usage().bytes, 0);
    await hold(store, 'two', blocks.slice(0, 1));
    assert.deepEqual(
      packsOf(folder).map((file) => path.basename(file)),
      ['00000002'],
    );
    await auditClosed(store, folder);
  });

  test('is written again once half of it is dead, and not before', async (t) => {
    for (const [kept, bytes] of [
      [6, 200_408],
      [4, 80_168],
    ] as const) {
      const { store, folder } = await testStore(t);
      const left = await leaveOf(store, kept, 3);
      await untilQuiet(store);
      assert.deepEqual(
        packsOf(folder).map((file) => statSync(file).size),
        [bytes],
      );
      assertHere(store, left);
      const { halfEmpty } = await auditClosed(store, folder);
      assert.equal(halfEmpty, 0);
      await using again = await openTestStore(folder);
      assertHere(again, left);
    }
  });

  test('shares a new one with others of which little is left', async (t) => {
    const { store, folder } = await testStore(t);
    const left: Block[] = [];
    for (const site of ['a', 'b', 'c']) {
      const blocks = named(site, 10);
      left.push(...blocks.slice(4, 6));
      await hold(store, site, blocks);
    }
    await hold(store, 'left', left);
    const removals = ['a', 'b', 'c'].map((site) => store.holdings.remove(linkOf(site).hash));
    await Promise.all(removals);
    await untilQuiet(store);
    assert.ok(packsOf(folder).length < 3);
    assertHere(store, left);
    await auditClosed(store, folder);
  });

  test('makes room by what is dead in it before anything is evicted', async (t) => {
    const { store, folder } = await testStore(t, { budgetBytes: 16_000_000 });
    // More than half of each pack lives: in quiet nobody touches them.
    const sites = Array.from({ length: 12 }, (_, i) => named(`site ${i}`, 5, 200_000));
    const left = sites.flatMap((blocks) => blocks.slice(0, 3));
    for (const [i, blocks] of sites.entries()) await hold(store, `site ${i}`, blocks);
    await hold(store, 'left', left, { kind: 'visited' });
    for (const i of sites.keys()) await store.holdings.remove(linkOf(`site ${i}`).hash);
    await untilQuiet(store);
    const more = named('more', 40, 200_000);
    await hold(store, 'more', more);
    assert.ok(isHeld(store, 'left'));
    assert.equal(store.evicted(), 0);
    assertHere(store, [...left, ...more]);
    await auditClosed(store, folder);
  });

  test('stays one when it is written again for a smaller budget', async (t) => {
    const { store, folder } = await testStore(t);
    const left = await leaveOf(store, 7);
    await untilQuiet(store);
    const before = store.holdings.usage().bytes;
    await store.close();
    await using again = await openTestStore(folder, { budgetBytes: 100_000 });
    await untilQuiet(again);
    assert.equal(packsOf(folder).length, 1);
    assert.ok(again.holdings.usage().bytes <= before - 60_000 + 4096);
    assertHere(again, left);
    await auditClosed(again, folder);
  });

  test('is on the disk before the index is, and both are before the old one goes', async (t) => {
    const { store } = await testStore(t);
    const blocks = named('some', 10);
    await hold(store, 'all', blocks);
    await hold(store, 'some', blocks.slice(0, 2));
    const done: string[] = []; // BOUNDED by the test
    const note = (what: string, of: object, name: string): void => {
      const method: unknown = Reflect.get(of, name);
      if (typeof method !== 'function') throw new TypeError(name);
      const noted = async function (this: unknown, ...args: unknown[]): Promise<void> {
        await Reflect.apply(method, this, args);
        done.push(what);
      };
      Reflect.set(of, name, noted);
      t.after(() => Reflect.set(of, name, method));
    };
    note('pack written', PackFiles.prototype, 'writeAll');
    note('pack on the disk', PackFiles.prototype, 'flush');
    note('index written', Environment.prototype, 'commit');
    note('index on the disk', Environment.prototype, 'flushed');
    note('old one gone', PackFiles.prototype, 'removeAll');
    await store.holdings.remove(linkOf('all').hash);
    await untilQuiet(store);
    const first = done.indexOf('pack written');
    assert.deepEqual(done.slice(first, first + 5), [
      'pack written',
      'pack on the disk',
      'index written',
      'index on the disk',
      'old one gone',
    ]);
  });

  test('whose head is damaged stays as it is, and so do its blocks', async (t) => {
    const { store, folder } = await testStore(t);
    const blocks = named('some', 10);
    await hold(store, 'all', blocks);
    const [pack = ''] = packsOf(folder);
    await using file = await open(pack, 'r+');
    await file.write(Buffer.alloc(100), 0, 100, 0);
    const left = blocks.slice(0, 2);
    await hold(store, 'some', left);
    await store.holdings.remove(linkOf('all').hash);
    await untilQuiet(store);
    assert.deepEqual(packsOf(folder), [pack]);
    assertHere(store, left);
    await store.holdings.remove(linkOf('some').hash);
    assert.deepEqual(packsOf(folder), []);
  });

  test('that is too short when it is written again loses only what is cut off', async (t) => {
    const { store, folder } = await testStore(t);
    const blocks = named('some', 10);
    await hold(store, 'all', blocks);
    const [pack = ''] = packsOf(folder);
    truncateSync(pack, 60_408);
    await hold(store, 'some', blocks.slice(1, 4), { kind: 'own' });
    await store.holdings.remove(linkOf('all').hash);
    await untilQuiet(store);
    assertHere(store, blocks.slice(1, 3));
    assert.equal(store.blocks.has(blocks[3]?.hash ?? new Uint8Array()), false);
    assert.equal(store.holdings.get(linkOf('some').hash)?.complete, false);
    await hold(store, 'some', blocks.slice(1, 4), { kind: 'own' });
    assertHere(store, blocks.slice(1, 4));
    await untilQuiet(store);
    await auditClosed(store, folder);
  });

  test(
    'stays when the disk is full while it is written again',
    { skip: process.platform !== 'linux' },
    async (t) => {
      const { store, folder } = await testStore(t);
      await hold(store, 'first', named('first', 1));
      symlinkSync('/dev/full', path.join(folder, 'store/packs/00000003'));
      const left = await leaveOf(store, 2);
      await store.holdings.change(linkOf('nothing').hash, {});
      assertHere(store, left);
      await untilQuiet(store);
      assertHere(store, left);
      const { halfEmpty } = await auditClosed(store, folder);
      assert.equal(halfEmpty, 0, 'it was tried again');
      const names = packsOf(folder).map((file) => path.basename(file));
      assert.deepEqual(names.toSorted(), ['00000001', '00000004']);
    },
  );

  test('is read through few descriptors, however many there are', async (t) => {
    const { store, folder } = await testStore(t);
    const all = named('a', 40);
    for (const [i, one] of all.entries()) await hold(store, `${i}`, [one]);
    for (let round = 0; round < 2; round++) assertHere(store, all);
    if (process.platform === 'linux') {
      const mine = readdirSync('/proc/self/fd').filter((fd) => isOpenIn(fd, folder));
      assert.ok(mine.length <= 16);
    }
    for (const i of all.keys()) await store.holdings.remove(linkOf(`${i}`).hash);
    for (const { hash } of all) assert.equal(store.blocks.get(hash), undefined);
    await auditClosed(store, folder);
  });

  test(
    'is not taken for the orphan whose number it is given after a crash',
    { skip: process.platform !== 'linux' },
    async (t) => {
      const { store, folder } = await testStore(t);
      const [next, other] = ['00000003', '00000004'].map((name) => {
        return path.join(folder, 'store/packs', name);
      }) as [string, string];
      await hold(store, 'first', named('first', 1));
      await store.holdings.remove(linkOf('first').hash);
      const blocks = named('some', 10);
      await hold(store, 'all', blocks);
      await hold(store, 'some', blocks.slice(0, 2), { kind: 'own' });
      // So that the pack is still to be written again when the store is closed.
      for (const file of [next, other]) symlinkSync('/dev/full', file);
      await store.holdings.remove(linkOf('all').hash);
      await store.close();
      for (const file of [next, other]) rmSync(file, { force: true });
      writeFileSync(next, 'half a pack');
      // Many that are to be removed as well take their time.
      const shard = path.join(folder, 'store/blocks/ab');
      mkdirSync(shard, { recursive: true });
      for (let i = 1000; i < 2000; i++)
        writeFileSync(path.join(shard, `ab${'00'.repeat(29)}${i}`), '');
      writeFileSync(path.join(folder, 'store', 'in-use-by-1-1-0'), '');
      await using again = await openTestStore(folder);
      await untilQuiet(again);
      assert.deepEqual(packsOf(folder), [next], 'it was written again');
      assertHere(again, blocks.slice(0, 2));
    },
  );

  test('that a crash has left without entry goes at the next start', async (t) => {
    const { store, folder } = await testStore(t);
    const kept = named('kept', 3);
    await hold(store, 'kept', kept);
    await store.close();
    writeFileSync(path.join(folder, 'store/packs/00000002'), 'half a pack');
    writeFileSync(path.join(folder, 'store', 'in-use-by-1-1-0'), '');
    await using again = await openTestStore(folder);
    assert.equal(packsOf(folder).length, 1);
    assertHere(again, kept);
  });
});

/** Whatever is put and removed: what is counted is there, and at rest half of each pack lives. */
test('packs behave as sets of blocks under any sequence of writes and removals', async (t) => {
  const sizes = [30, 8200, 20_000, 70_000];
  const some = Array.from({ length: 60 }, (_, i) => block(`block ${i}`, sizes[i % 4] ?? 0));
  const step = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    which: fc.uniqueArray(fc.nat(some.length - 1), { maxLength: 25 }),
    does: fc.constantFrom('put', 'put', 'remove', 'reopen'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
      const opened = await testStore(t);
      const { folder } = opened;
      let { store } = opened;
      const model = new Map<string, Set<number>>(); // BOUNDED by the names
      for (const { name, which, does } of steps) {
        if (does === 'put') {
          await hold(
            store,
            name,
            which.map((i) => some[i]).filter((one) => one !== undefined),
          );
          model.set(name, new Set([...(model.get(name) ?? []), ...which]));
        } else if (does === 'remove') {
          await store.holdings.remove(linkOf(name).hash);
          model.delete(name);
        } else {
          await store.close();
          store = await openTestStore(folder);
        }
      }
      const here = new Set([...model.values()].flatMap((which) => [...which]));
      for (const [i, { hash, bytes }] of some.entries()) {
        assert.deepEqual(store.blocks.get(hash), here.has(i) ? bytes : undefined);
      }
      await untilQuiet(store);
      const audit = await auditClosed(store, folder);
      assert.deepEqual([audit.blocks, audit.halfEmpty], [here.size, 0]);
      rmSync(folder, { recursive: true });
    }),
    { numRuns: 40 },
  );
});
