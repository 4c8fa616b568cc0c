import assert from 'node:assert/strict';
import { rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { manualWorld } from '../../test/support/manual-world.ts';
import { auditStore } from '../../test/support/store-audit.ts';
import { openTestStore, testStore } from '../../test/support/store-folder.ts';
import { churnBlock } from '../../test/support/store-samples.ts';
import { type Bytes, toHex, utf8 } from '../base/bytes.ts';
import { isAltNetError } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import type { Block, NewHolding } from '../content/ports.ts';
import type { Store } from './store.ts';

function linkOf(name: string): { codec: 'raw'; hash: Bytes } {
  return { codec: 'raw', hash: sha256(utf8(name)) };
}

function block(name: string, size: number): Block {
  const bytes = Buffer.alloc(size, name);
  return { hash: sha256(bytes), bytes };
}

async function hold(
  store: Store,
  name: string,
  blocks: readonly Block[],
  { complete = true, ...what }: Partial<NewHolding> & { complete?: boolean } = {},
): Promise<void> {
  const link = linkOf(name);
  await using holding = await store.holdings.open({ kind: 'visited', root: link, ...what });
  await holding.putAll(blocks);
  if (complete) await holding.complete({ link, files: 1, bytes: 1 });
}

function isHeld(store: Store, name: string): boolean {
  return store.holdings.get(linkOf(name).hash) !== undefined;
}

const isFull = (error: unknown): boolean => isAltNetError(error, 'STORE_FULL');

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
    assert.ok(store.holdings.usageFor(from).bytes > 0);
    await store.close();
    await using again = await openTestStore(folder);
    assert.deepEqual([...again.holdings.list()], before);
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
    rmSync(path.join(folder, 'store', 'blocks'), { recursive: true });
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

describe('a budget', () => {
  test('is kept by letting go: the idle parts first, then what was used least recently', async (t) => {
    const world = manualWorld();
    const budgetBytes = 1_000_000;
    const { store } = await testStore(t, { world, budgetBytes });
    const removed: string[] = [];
    const nameOf = new Map<string, string>();
    store.holdings.onRemoved(({ hash }) => removed.push(nameOf.get(toHex(hash)) ?? '?'));
    const visit = async (
      name: string,
      what: Partial<NewHolding> & { complete?: boolean } = {},
    ): Promise<void> => {
      nameOf.set(toHex(linkOf(name).hash), name);
      await hold(store, name, [block(name, 150_000)], what);
      world.advance(1000);
    };
    await visit('mine', { kind: 'own' });
    await visit('first');
    await visit('second', { kind: 'replica', from: new Uint8Array(32) });
    await visit('third');
    await visit('part', { complete: false });
    world.advance(3_600_000);
    store.holdings.touch(linkOf('first').hash);
    world.advance(1000);
    const order = ['part', 'second', 'third', 'first'];
    for (let i = 0; i < 8; i++)
      await visit(`new ${i}`, { kind: 'own' }).catch((error: unknown) => assert.ok(isFull(error)));
    assert.deepEqual(removed.slice(0, order.length), order);
    assert.ok(isHeld(store, 'mine'));
    assert.ok(store.holdings.usage().bytes <= budgetBytes);
  });

  test('that is used up refuses what is new, changes nothing and says how much there is', async (t) => {
    const { store } = await testStore(t, { budgetBytes: 300_000 });
    await hold(store, 'mine', [block('a', 200_000)], { kind: 'own' });
    await hold(store, 'visited', [block('b', 20_000)]);
    const before = store.holdings.usage();
    await using open = await store.holdings.open({ kind: 'own' });
    await assert.rejects(open.putAll([block('c', 150_000)]), (error) => {
      assert.ok(isAltNetError(error, 'STORE_FULL'));
      assert.equal(error.details.bytesMax, 300_000);
      return true;
    });
    await assert.rejects(open.reserve(150_000), isFull);
    assert.deepEqual(store.holdings.usage(), before);
    assert.ok(isHeld(store, 'visited'));
    await open.putAll([block('d', 30_000)]);
  });

  test('does not let go of what is open', async (t) => {
    const { store } = await testStore(t, { budgetBytes: 300_000 });
    await using reading = await store.holdings.open({ kind: 'visited', root: linkOf('read') });
    await reading.putAll([block('a', 200_000)]);
    await assert.rejects(hold(store, 'other', [block('b', 150_000)]), isFull);
    await reading.close();
    await hold(store, 'other', [block('b', 150_000)]);
    assert.equal(isHeld(store, 'read'), false);
  });

  test('keeps what was set aside for who set it aside', async (t) => {
    const { store } = await testStore(t, { budgetBytes: 1_000_000 });
    await hold(store, 'old', [block('a', 300_000)]);
    await using large = await store.holdings.open({ kind: 'own' });
    await large.reserve(800_000);
    assert.equal(isHeld(store, 'old'), false, 'room is made up front');
    await using other = await store.holdings.open({ kind: 'own' });
    await assert.rejects(other.putAll([block('b', 400_000)]), isFull);
    for (const name of ['1', '2', '3', '4']) await large.putAll([block(name, 199_000)]);
    await large.close();
    await other.putAll([block('b', 400_000)]);
  });

  test('is not exceeded by writers that write at the same time', async (t) => {
    const budgetBytes = 2_000_000;
    const { store, folder } = await testStore(t, { budgetBytes });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 40 }, async (_, i) => {
        await using holding = await store.holdings.open({ kind: 'visited', root: linkOf(`${i}`) });
        if (i % 2 === 0) await holding.reserve(150_000);
        for (let j = 0; j < 5; j++) await holding.putAll([block(`${i}/${j}`, 30_000)]);
        assert.ok(store.holdings.usage().bytes <= budgetBytes);
      }),
    );
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') assert.ok(isFull(outcome.reason), String(outcome.reason));
    }
    assert.ok(outcomes.some(({ status }) => status === 'fulfilled'));
    await store.close();
    const audit = await auditStore(folder);
    assert.deepEqual(audit.problems, []);
    assert.ok(audit.diskBytes <= budgetBytes * 1.1);
  });

  test('of one peer bounds its replicas, and four times that its network', async (t) => {
    const { store } = await testStore(t, { perPeerBudgetBytes: 100_000 });
    const source = '4:7f0000';
    const offer = (peer: number, size: number, name = `${peer}/${size}`): Promise<void> =>
      hold(store, name, [block(name, size)], {
        kind: 'replica',
        from: new Uint8Array(32).fill(peer),
        source,
      });
    await offer(1, 60_000);
    await assert.rejects(offer(1, 50_000), (error) => {
      assert.ok(isAltNetError(error, 'STORE_FULL'));
      assert.equal(error.details.bytesMax, 100_000);
      return true;
    });
    for (const peer of [2, 3, 4, 5]) await offer(peer, 80_000);
    await assert.rejects(offer(6, 80_000), isFull);
    const from = new Uint8Array(32).fill(1);
    const { bytes, bytesMax } = store.holdings.usageFor(from);
    assert.ok(bytes > 60_000 && bytes < 70_000);
    assert.equal(bytesMax, 100_000);
    await using open = await store.holdings.open({
      kind: 'replica',
      root: linkOf('z'),
      from,
      source,
    });
    await assert.rejects(open.reserve(50_000), isFull);
    await store.holdings.remove(linkOf('1/60000').hash);
    assert.equal(store.holdings.usageFor(from).bytes, 0);
  });

  test('that was lowered is kept again after the start', async (t) => {
    const { store, folder } = await testStore(t);
    for (const name of ['a', 'b', 'c']) await hold(store, name, [block(name, 100_000)]);
    await hold(store, 'mine', [block('m', 100_000)], { kind: 'own' });
    await store.close();
    const again = await openTestStore(folder, { budgetBytes: 150_000 });
    await hold(again, 'small', [block('s', 100)]);
    assert.ok(again.holdings.usage().bytes <= 150_000);
    assert.ok(isHeld(again, 'mine'));
    await again.close();
  });
});

test('the folder stays within the budget, however sizes change, and LMDB uses its pages again', async (t) => {
  const budgetBytes = 4 * 1024 * 1024;
  const folder = temporaryFolder(t);
  const mixes = [[100], [5000], [262_144], [5000, 100, 700, 30_000], [2100]];
  const indexBytes: number[] = [];
  for (let cycle = 0; cycle < 4; cycle++) {
    for (const mix of mixes) {
      await using store = await openTestStore(folder, { budgetBytes });
      await overfill(store, mix, `${cycle}`);
      await store.close();
      const audit = await auditStore(folder);
      assert.deepEqual(audit.problems, []);
      assert.ok(audit.diskBytes <= budgetBytes * 1.1, `${audit.diskBytes} with ${String(mix)}`);
      assert.ok(audit.cost > budgetBytes / 3, `only ${audit.cost} are used with ${String(mix)}`);
    }
    indexBytes.push(statSync(path.join(folder, 'store', 'index.mdb')).size);
  }
  const [before = 0, last = 0] = indexBytes.slice(-2);
  assert.ok(last <= before * 1.1, `index.mdb keeps growing: ${String(indexBytes)}`);
});

/** Visits sites of blocks of these sizes until everything from before has gone. */
async function overfill(store: Store, mix: readonly number[], salt: string): Promise<void> {
  const { bytesMax } = store.holdings.usage();
  let number = 0;
  for (let site = 0; site < 1 || isHeld(store, `${salt}/${String(mix)}/0`); site++) {
    const blocks: Block[] = [];
    for (let bytes = 0; bytes < bytesMax / 12 && blocks.length < 500;) {
      const size = mix[blocks.length % mix.length] ?? 0;
      blocks.push(block(`${salt}/${String(mix)}/${number++}`, size));
      bytes += size;
    }
    await hold(store, `${salt}/${String(mix)}/${site}`, blocks);
  }
}
