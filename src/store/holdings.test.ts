import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { manualWorld } from '../../test/support/manual-world.ts';
import { auditStore } from '../../test/support/store-audit.ts';
import { openTestStore, testStore } from '../../test/support/store-folder.ts';
import { block, hold, isHeld, linkOf, listedCounts } from '../../test/support/store-holdings.ts';
import { churnBlock } from '../../test/support/store-samples.ts';
import { toHex, utf8 } from '../base/bytes.ts';
import { isAltNetError } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';

describe('holdings', () => {
  test('are listed as they were completed, also after reopening', async (t) => {
    const { store, folder } = await testStore(t);
    const from = new Uint8Array(32).fill(7);
    await hold(store, 'own', [block('a', 10)], { kind: 'own', keep: true });
    await hold(store, 'replica', [block('b', 10)], { kind: 'replica', from });
    await hold(store, 'part', [block('c', 10)], { complete: false });
    await store.holdings.change(linkOf('own').hash, { supersededMs: 5 });
    const before = [...store.holdings.list()];
    assert.deepEqual(
      before.map(({ kind, complete, keep, supersededMs, from: by }) => [
        kind,
        complete,
        keep,
        supersededMs,
        by,
      ]),
      [
        ['own', true, true, 5, undefined],
        ['replica', true, false, undefined, from],
        ['visited', false, false, undefined, undefined],
      ],
    );
    const counted = { own: 1, replica: 1, visited: 1, incomplete: 1 };
    assert.deepEqual(store.counted(), counted);
    assert.ok(store.holdings.usageFor(from).bytes > 0);
    await store.close();
    await using again = await openTestStore(folder);
    assert.deepEqual([...again.holdings.list()], before);
    assert.deepEqual(again.counted(), counted);
    assert.equal(again.holdings.usageFor(from).bytes, store.holdings.usageFor(from).bytes);
  });

  test('without root get it when they are complete, and take the place of what was there', async (t) => {
    const { store, folder } = await testStore(t);
    const [one, two, three] = [block('1', 100), block('2', 6000), block('3', 20_000)];
    await hold(store, 'site', [one, three], { complete: false });
    const addedMs = store.holdings.get(linkOf('site').hash)?.addedMs;
    const removed: string[] = [];
    store.holdings.onRemoved(({ hash }) => removed.push(toHex(hash)));
    await using publishing = await store.holdings.open({ kind: 'own' });
    await publishing.putAll([one, two]);
    assert.deepEqual(await publishing.adopt([one.hash, sha256(utf8('x'))]), [sha256(utf8('x'))]);
    await publishing.complete({ link: linkOf('site'), files: 3, bytes: 9 });
    const held = store.holdings.get(linkOf('site').hash);
    assert.deepEqual(
      [held?.kind, held?.complete, held?.files, held?.addedMs],
      ['own', true, 3, addedMs],
    );
    await publishing.close();
    await store.close();
    assert.deepEqual(removed, [], 'its root was held all the time');
    await (await openTestStore(folder)).close();
    assert.deepEqual((await auditStore(folder)).problems, []);
  });

  test('name each of many blocks once, in whatever order and how often they are adopted', async (t) => {
    const { store, folder } = await testStore(t);
    const blocks = Array.from({ length: 200 }, (_, i) =>
      block(`many ${i}`, i % 9 === 0 ? 9000 : 50),
    );
    const hashes = blocks.map(({ hash }) => hash);
    await hold(store, 'before', blocks);
    const alone = store.holdings.usage().bytes;
    const adopting = await store.holdings.open({ kind: 'own', root: linkOf('after') });
    const absent = sha256(utf8('absent'));
    await adopting.adopt(hashes.slice(50, 100));
    await adopting.adopt(hashes.slice(0, 10)); // fewer than are looked for at once
    assert.deepEqual(await adopting.adopt([...hashes.slice(40, 120), absent]), [absent]);
    await adopting.adopt(hashes);
    const named = store.holdings.usage().bytes;
    await adopting.adopt(hashes.toReversed());
    assert.equal(store.holdings.usage().bytes, named, 'nothing is named twice');
    await store.holdings.remove(linkOf('before').hash);
    assert.ok(hashes.every((hash) => store.blocks.has(hash)));
    assert.equal(store.holdings.usage().bytes, alone);
    await adopting.close();
    await store.close();
    assert.deepEqual((await auditStore(folder)).problems, []);
  });

  test('are joined when one is published that somebody else is fetching', async (t) => {
    const { store, folder } = await testStore(t);
    const [one, two, three] = [block('1', 100), block('2', 6000), block('3', 20_000)];
    await using fetching = await store.holdings.open({ kind: 'visited', root: linkOf('site') });
    await fetching.putAll([one]);
    const publishing = await store.holdings.open({ kind: 'own' });
    await publishing.putAll([one, two]);
    await publishing.complete({ link: linkOf('site'), files: 2, bytes: 9 });
    await publishing.close();
    await fetching.putAll([two, three]);
    await fetching.complete({ link: linkOf('site'), files: 3, bytes: 10 });
    await fetching.close();
    const held = store.holdings.get(linkOf('site').hash);
    assert.deepEqual([held?.kind, held?.complete, held?.files], ['own', true, 3]);
    await store.holdings.remove(linkOf('site').hash);
    await store.close();
    assert.deepEqual(store.blocks.stats(), { blocks: 0, bytes: 0 });
    assert.deepEqual((await auditStore(folder)).problems, []);
  });

  test('that are closed before they are complete go, unless they were visited', async (t) => {
    const { store } = await testStore(t);
    const [mine, theirs] = [block('1', 5000), block('2', 5000)];
    const other = block('3', 5000);
    await hold(store, 'other', [other], { complete: false });
    await hold(store, 'theirs', [theirs], { kind: 'replica', complete: false });
    await hold(store, 'other', [mine], { kind: 'own', complete: false });
    assert.equal(store.holdings.get(linkOf('other').hash)?.kind, 'visited');
    assert.equal(isHeld(store, 'theirs'), false);
    {
      await using nameless = await store.holdings.open({ kind: 'own' });
      await nameless.putAll([block('4', 5000)]);
    }
    await store.holdings.remove(linkOf('nothing').hash);
    await store.holdings.remove(linkOf('other').hash);
    await store.close();
    assert.deepEqual(store.holdings.usage().bytes, 0);
  });

  test('with nothing written leave nothing behind', async (t) => {
    const { store } = await testStore(t);
    await (await store.holdings.open({ kind: 'visited', root: linkOf('x') })).close();
    await (await store.holdings.open({ kind: 'own' })).close();
    assert.deepEqual([...store.holdings.list()], []);
    assert.equal(store.holdings.usage().bytes, 0);
  });

  test('remember when they were used, after a minute or when the store is closed', async (t) => {
    const world = manualWorld();
    const { store, folder } = await testStore(t, { world });
    await hold(store, 'a', [block('1', 10)]);
    await hold(store, 'b', [block('2', 10)]);
    world.advance(1000);
    store.holdings.touch(linkOf('a').hash);
    store.holdings.touch(linkOf('nothing').hash);
    const usedMs = world.clock.unixMs();
    assert.equal(store.holdings.get(linkOf('a').hash)?.usedMs, usedMs);
    assert.equal(world.pendingTimers(), 1);
    world.advance(60_000);
    store.holdings.touch(linkOf('b').hash);
    await store.close();
    await using again = await openTestStore(folder);
    assert.equal(again.holdings.get(linkOf('a').hash)?.usedMs, usedMs);
    assert.equal(again.holdings.get(linkOf('b').hash)?.usedMs, usedMs + 60_000);
  });

  test('that are open when the store is closed are refused, and put in order at the start', async (t) => {
    const { store, folder } = await testStore(t);
    const late = await store.holdings.open({ kind: 'own' });
    await late.putAll([block('1', 20_000)]);
    await store.close();
    await assert.rejects(late.putAll([block('2', 10)]), (error) =>
      isAltNetError(error, 'INTERNAL'),
    );
    await assert.rejects(late.reserve(1), (error) => isAltNetError(error, 'INTERNAL'));
    await late.close();
    await (await openTestStore(folder)).close();
    await (await openTestStore(folder)).close();
    const { blocks, holdings, problems } = await auditStore(folder);
    assert.deepEqual({ blocks, holdings, problems }, { blocks: 0, holdings: 0, problems: [] });
  });

  test('share what several name, and keep it until the last one goes', async (t) => {
    const { store, folder } = await testStore(t);
    const [both, mine] = [block('1', 5000), block('2', 9000)];
    await Promise.all([hold(store, 'a', [both, mine]), hold(store, 'b', [both])]);
    const { bytes } = store.holdings.usage();
    const removed: string[] = [];
    store.holdings.onRemoved(({ hash }) => removed.push(toHex(hash)));
    await store.holdings.remove(linkOf('a').hash);
    assert.deepEqual(removed, [toHex(linkOf('a').hash)]);
    assert.deepEqual(
      [both, mine].map(({ hash }) => store.blocks.has(hash)),
      [true, false],
    );
    assert.ok(store.holdings.usage().bytes < bytes - 9000);
    await store.holdings.remove(linkOf('b').hash);
    assert.equal(store.blocks.has(both.hash), false);
    assert.equal(store.holdings.usage().bytes, 0);
    await store.close();
    assert.deepEqual((await auditStore(folder)).problems, []);
  });
});

describe('a holding that has lost a block', () => {
  test('is not complete any more, stays, and can be mended', async (t) => {
    const { store, folder } = await testStore(t);
    const [lost, other] = [block('1', 20_000), block('2', 20_000)];
    await hold(store, 'mine', [lost, other], { kind: 'own' });
    await hold(store, 'theirs', [lost]);
    await hold(store, 'whole', [other]);
    rmSync(path.join(folder, 'store', 'packs'), { recursive: true });
    assert.equal(store.blocks.get(lost.hash), undefined);
    await store.close();
    const again = await openTestStore(folder);
    const complete = ['mine', 'theirs', 'whole'].map(
      (name) => again.holdings.get(linkOf(name).hash)?.complete,
    );
    assert.deepEqual(complete, [false, false, true], 'nobody has missed the other block yet');
    assert.equal(again.blocks.get(other.hash), undefined);
    await hold(again, 'mine', [lost, other], { kind: 'own' });
    assert.equal(again.holdings.get(linkOf('mine').hash)?.complete, true);
    await again.close();
    assert.deepEqual((await auditStore(folder)).problems, []);
  });
});

/** Without a limit that counts: a block is here exactly as long as some holding names it. */
test('holdings behave as sets of blocks under any sequence of writes and removals', async (t) => {
  const { store, folder } = await testStore(t);
  const names = ['a', 'b', 'c', 'd'];
  const step = fc.record({
    name: fc.constantFrom(...names),
    does: fc.constantFrom('put' as const, 'adopt' as const, 'remove' as const),
    which: fc.uniqueArray(fc.nat(20), { maxLength: 6 }),
  });
  const model = new Map<string, Set<number>>(names.map((name) => [name, new Set()]));
  const isHere = (number: number): boolean => [...model.values()].some((set) => set.has(number));
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      for (const { name, does, which } of steps) {
        const set = model.get(name) ?? new Set();
        const blocks = which.map(churnBlock);
        await using holding = await store.holdings.open({ kind: 'visited', root: linkOf(name) });
        if (does === 'remove') {
          await store.holdings.remove(linkOf(name).hash);
          set.clear();
        } else if (does === 'put') {
          await holding.putAll(blocks);
          for (const number of which) set.add(number);
        } else {
          const missing = await holding.adopt(blocks.map(({ hash }) => hash));
          const want = which.filter((number) => !isHere(number));
          assert.deepEqual(
            missing,
            want.map((number) => churnBlock(number).hash),
          );
          for (const number of which) if (isHere(number)) set.add(number);
        }
      }
      const here = Array.from({ length: 21 }, (_, number) => number).filter(isHere);
      assert.deepEqual(store.counted(), listedCounts(store));
      assert.equal(store.blocks.stats().blocks, here.length);
      for (const number of here) assert.ok(store.blocks.get(churnBlock(number).hash));
      for (const name of names) assert.equal(isHeld(store, name), (model.get(name)?.size ?? 0) > 0);
    }),
    { numRuns: 40 },
  );
  await store.close();
  const audit = await auditStore(folder);
  assert.deepEqual(audit.problems, []);
  assert.equal(audit.cost, store.holdings.usage().bytes);
});
