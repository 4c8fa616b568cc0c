import assert from 'node:assert/strict';
import { readdirSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { manualWorld } from '../../test/support/manual-world.ts';
import { auditStore, type StoreAudit } from '../../test/support/store-audit.ts';
import { openTestStore, testStore } from '../../test/support/store-folder.ts';
import { block, hold, linkOf } from '../../test/support/store-holdings.ts';
import { type Bytes, toHex } from '../base/bytes.ts';
import type { Block } from '../content/ports.ts';
import type { Store } from './store.ts';

/** Blocks of a site, of which version `i` has others in the places that `changed` names. */
function site(i: number, changed: readonly number[], count = 300): Block[] {
  return Array.from({ length: count }, (_, at) =>
    block(changed.includes(at) ? `version ${i}, ${at}` : `any version, ${at}`, 40 + (at % 5)),
  );
}

const namesOf = (blocks: readonly Block[]): Set<string> =>
  new Set(blocks.map(({ hash }) => toHex(hash)));

const without = (blocks: readonly Block[], names: ReadonlySet<string>): Block[] =>
  blocks.filter(({ hash }) => !names.has(toHex(hash)));

const hashesOf = (blocks: readonly Block[]): Bytes[] => blocks.map(({ hash }) => hash);

/**
 * Publishes blocks of which those in `before` are named by the holding `like`: gives back how many
 * were not here.
 */
async function publish(
  store: Store,
  name: string,
  {
    blocks,
    like,
    before = blocks,
  }: { blocks: readonly Block[]; like: string; before?: readonly Block[] },
): Promise<number> {
  await using holding = await store.holdings.open({ kind: 'own' });
  const unwanted = without(before, namesOf(blocks));
  const common = without(before, namesOf(unwanted));
  const missing = await holding.adopt(hashesOf(common), {
    like: { root: linkOf(like).hash, without: hashesOf(unwanted) },
  });
  const here = namesOf(without(common, new Set(missing.map(toHex))));
  const rest = without(blocks, here);
  await holding.putAll(rest);
  await holding.complete({ link: linkOf(name), files: 1, bytes: 1 });
  return rest.length;
}

/** Of a store that is closed: each start brings what is going a step further, however slow it is. */
async function auditAtRest(folder: string): Promise<StoreAudit> {
  for (let starts = 0; starts < 100; starts++) {
    const audit = await auditStore(folder);
    if (audit.going === 0) return audit;
    await (await openTestStore(folder)).close();
  }
  throw new Error('something is going and never gone');
}

const hasAll = (store: Store, blocks: readonly Block[]): boolean =>
  blocks.every(({ hash }) => store.blocks.has(hash));

test('a version names what it has in common with another one once', async (t) => {
  const { store, folder } = await testStore(t);
  const [one, two] = [site(1, []), site(2, [3, 250])];
  await hold(store, 'one', one, { kind: 'own' });
  const before = store.holdings.usage().bytes;
  assert.equal(await publish(store, 'two', { blocks: two, like: 'one', before: one }), 2);
  const added = store.holdings.usage().bytes - before;
  assert.ok(added < 2 * 512, `two blocks and a holding cost ${added}`);
  await store.holdings.remove(linkOf('one').hash);
  assert.ok(hasAll(store, two));
  assert.ok(!store.blocks.has(one[3]?.hash ?? new Uint8Array()), 'nobody names it any more');
  await store.close();
  const audit = await auditStore(folder);
  assert.deepEqual([audit.problems, audit.blocks, audit.holdings], [[], 300, 1]);
  await using again = await openTestStore(folder);
  await again.holdings.remove(linkOf('two').hash);
  assert.deepEqual(again.blocks.stats(), { blocks: 0, bytes: 0 });
});

test('what is not complete, open, too different or small is named block by block', async (t) => {
  const { store, folder } = await testStore(t);
  const blocks = site(1, []);
  await hold(store, 'part', blocks, { kind: 'visited', complete: false });
  assert.equal(await publish(store, 'a', { blocks, like: 'part' }), 0);
  await using open = await store.holdings.open({ kind: 'own', root: linkOf('a') });
  assert.equal(await publish(store, 'b', { blocks, like: 'a' }), 0);
  await open.close();
  assert.equal(
    await publish(store, 'c', { blocks: blocks.slice(0, 100), like: 'a', before: blocks }),
    0,
  );
  assert.equal(await publish(store, 'd', { blocks, like: 'nobody' }), 0);
  const many = site(2, [], 9000);
  assert.equal(await publish(store, 'e', { blocks: many, like: 'd', before: blocks }), 8700);
  const some = { blocks: site(2, [], 600), like: 'e', before: many };
  assert.equal(await publish(store, 'f', some), 0);
  await using late = await store.holdings.open({ kind: 'own' });
  await late.adopt(hashesOf(blocks.slice(0, 5)));
  const like = { root: linkOf('a').hash, without: [] };
  assert.deepEqual(await late.adopt(hashesOf(blocks), { like }), []);
  await late.complete({ link: linkOf('late'), files: 1, bytes: 1 });
  for (const name of 'abcdef') await store.holdings.remove(linkOf(name).hash);
  assert.ok(hasAll(store, blocks));
  await late.close();
  await store.close();
  assert.deepEqual((await auditStore(folder)).problems, []);
});

test('one that is given up leaves the other as it was', async (t) => {
  const { store, folder } = await testStore(t);
  const blocks = site(1, []);
  await hold(store, 'one', blocks, { kind: 'own' });
  const before = store.holdings.usage().bytes;
  await using holding = await store.holdings.open({ kind: 'own' });
  const [unwanted, ...wanted] = hashesOf(blocks);
  const like = { root: linkOf('one').hash, without: unwanted ? [unwanted] : [] };
  assert.deepEqual(await holding.adopt(wanted, { like }), []);
  await holding.close();
  await store.close();
  const audit = await auditAtRest(folder);
  assert.equal(audit.cost, before);
  assert.deepEqual([audit.problems, audit.blocks, audit.complete.length], [[], 300, 1]);
});

test('a lost block damages every version that has its list', async (t) => {
  const { store, folder } = await testStore(t);
  const lost = block('in a file', 20_000);
  const blocks = [...site(1, []), lost];
  await hold(store, 'one', blocks, { kind: 'own' });
  await publish(store, 'two', { blocks, like: 'one' });
  await hold(store, 'other', [block('other', 30)], { kind: 'own' });
  for (const pack of readdirSync(path.join(folder, 'store/packs'))) {
    truncateSync(path.join(folder, 'store/packs', pack), 20_000);
  }
  assert.equal(store.blocks.get(lost.hash), undefined);
  await store.holdings.change(linkOf('one').hash, {}); // after what is lost was written down
  const complete = (): (boolean | undefined)[] =>
    ['one', 'two', 'other'].map((one) => store.holdings.get(linkOf(one).hash)?.complete);
  assert.deepEqual(complete(), [false, false, true]);
  await hold(store, 'two', [lost], { kind: 'own' });
  assert.deepEqual(complete(), [false, true, true]);
  await hold(store, 'one', [lost], { kind: 'own' });
  assert.equal(await publish(store, 'three', { blocks, like: 'one' }), 0);
  await store.holdings.remove(linkOf('one').hash);
  await store.holdings.remove(linkOf('two').hash);
  assert.ok(hasAll(store, blocks));
  await store.close();
  assert.deepEqual((await auditStore(folder)).problems, []);
});

test('more versions than may share a list', async (t) => {
  const { store, folder } = await testStore(t);
  await hold(store, '0', site(0, []), { kind: 'own' });
  for (let i = 1; i < 70; i++) {
    const blocks = site(i, [i]);
    const like = { like: String(i - 1), before: site(i - 1, i > 1 ? [i - 1] : []) };
    assert.equal(await publish(store, String(i), { blocks, ...like }), i > 1 ? 2 : 1);
  }
  for (let i = 0; i < 69; i++) await store.holdings.remove(linkOf(String(i)).hash);
  assert.ok(hasAll(store, site(69, [69])));
  await store.close();
  const audit = await auditStore(folder);
  assert.deepEqual([audit.problems, audit.blocks], [[], 300]);
});

test('evicting makes as much room as was counted, whoever shares what', async (t) => {
  const world = manualWorld();
  const budgetBytes = 700_000;
  const { store, folder } = await testStore(t, { world, budgetBytes });
  const [one, two] = [site(1, []), site(2, [7])];
  await hold(store, 'one', one, { kind: 'own' });
  await publish(store, 'two', { blocks: two, like: 'one', before: one });
  await publish(store, 'three', { blocks: site(3, [9]), like: 'two', before: two });
  await hold(store, 'mine', [block('mine', 400_000)], { kind: 'own' });
  for (const name of ['one', 'two']) {
    await store.holdings.change(linkOf(name).hash, { supersededMs: 1 });
  }
  const pinned = store.pinnedBytes();
  await assert.rejects(hold(store, 'much', [block('much', budgetBytes - pinned)], {}));
  await hold(store, 'much', [block('much', budgetBytes - pinned - 20_000)], {});
  assert.ok(hasAll(store, site(3, [9])));
  await store.close();
  assert.deepEqual((await auditStore(folder)).problems, []);
});

test('whatever is published, removed and published again, the books are right', async (t) => {
  const step = fc.record({
    kind: fc.constantFrom('publish', 'publish', 'remove', 'reopen'),
    name: fc.integer({ min: 0, max: 4 }),
    like: fc.integer({ min: 0, max: 4 }),
    changed: fc.array(fc.integer({ min: 0, max: 600 }), { maxLength: 40 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
      const { store: first, folder } = await testStore(t);
      let store = first;
      const held = new Map<string, readonly Block[]>();
      for (const [i, { kind, name, like, changed }] of steps.entries()) {
        const root = String(name);
        if (kind === 'publish') {
          const blocks = site(i % 3, changed, 600);
          const before = held.get(String(like));
          await publish(store, root, { blocks, like: String(like), ...(before && { before }) });
          held.set(root, blocks);
        } else if (kind === 'remove') {
          await store.holdings.remove(linkOf(root).hash);
          held.delete(root);
        } else {
          await store.close();
          store = await openTestStore(folder);
        }
      }
      assert.deepEqual(store.counted(), { own: held.size, replica: 0, visited: 0, incomplete: 0 });
      const named = new Set([...held.values()].flat().map(({ hash }) => toHex(hash)));
      for (const blocks of held.values()) assert.ok(hasAll(store, blocks));
      await store.close();
      const audit = await auditAtRest(folder);
      assert.deepEqual(audit.problems, []);
      assert.deepEqual([audit.holdings, audit.blocks], [held.size, named.size]);
    }),
    { numRuns: 25 },
  );
});
