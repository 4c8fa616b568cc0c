import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { manualWorld } from '../../test/support/manual-world.ts';
import { auditStore } from '../../test/support/store-audit.ts';
import { openTestStore, testStore } from '../../test/support/store-folder.ts';
import { block, hold, isFull, isHeld, linkOf } from '../../test/support/store-holdings.ts';
import { toHex } from '../base/bytes.ts';
import { isAltNetError } from '../base/errors.ts';
import type { Block, NewHolding } from '../content/ports.ts';
import type { Store } from './store.ts';

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

  test('counts what is shared once, when it looks whether enough can go', async (t) => {
    const { store } = await testStore(t, { budgetBytes: 300_000 });
    const shared = block('a', 100_000);
    await hold(store, 'mine', [shared], { kind: 'own' });
    await hold(store, 'mine too', [shared], { kind: 'own' });
    await hold(store, 'visited', [shared, block('b', 50_000)]);
    const before = store.holdings.usage();
    await assert.rejects(hold(store, 'large', [block('c', 210_000)]), isFull);
    assert.deepEqual(store.holdings.usage(), before);
    await hold(store, 'small', [block('d', 180_000)]);
    assert.deepEqual(
      ['mine', 'mine too', 'visited', 'small'].map((name) => isHeld(store, name)),
      [true, true, false, true],
    );
  });

  test('lets go of old versions of own sites before anything else, unless they are to be kept', async (t) => {
    const world = manualWorld();
    const { store } = await testStore(t, { world, budgetBytes: 600_000 });
    const names = ['visited', 'old', 'kept', 'mine'];
    await hold(store, 'visited', [block('visited', 150_000)]);
    world.advance(1000);
    for (const name of names.slice(1)) {
      const what = { kind: 'own', keep: name === 'kept' } as const;
      await hold(store, name, [block(name, 130_000)], what);
    }
    for (const name of ['old', 'kept']) {
      await store.holdings.change(linkOf(name).hash, { supersededMs: world.clock.unixMs() });
    }
    const held = (): boolean[] => names.map((name) => isHeld(store, name));
    await hold(store, 'new', [block('new', 120_000)]);
    assert.deepEqual(held(), [true, false, true, true]);
    await hold(store, 'newer', [block('newer', 120_000)], { kind: 'own' });
    assert.deepEqual(held(), [false, false, true, true]);
  });

  test('that became smaller than what is pinned lets go of the rest, and says so', async (t) => {
    const first = await testStore(t, {});
    const { store, folder } = first;
    await hold(store, 'mine', [block('a', 300_000), block('b', 100_000)], { kind: 'own' });
    await hold(store, 'mine too', [block('a', 300_000)], { kind: 'own' });
    await hold(store, 'visited', [block('c', 100_000)]);
    await store.close();
    const small = await openTestStore(folder, { budgetBytes: 200_000 });
    try {
      const pinned = small.pinnedBytes();
      assert.ok(pinned >= 400_000 && pinned < 420_000, `${pinned}: what is shared counts once`);
      while (isHeld(small, 'visited')) await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual([isHeld(small, 'mine'), isHeld(small, 'mine too')], [true, true]);
    } finally {
      await small.close();
    }
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

  test('of one peer has room for an update, and drops what it replaced', async (t) => {
    const { store } = await testStore(t, { perPeerBudgetBytes: 250_000 });
    const shared = [block('a', 100_000), block('b', 100_000)];
    const from = new Uint8Array(32).fill(1);
    const version = (
      name: string,
      extra: readonly Block[],
      more: Partial<NewHolding> = {},
    ): Promise<void> =>
      hold(store, name, [...shared, ...extra], { kind: 'replica', from, ...more });
    const replaced = (name: string): Promise<void> =>
      store.holdings.change(linkOf(name).hash, { supersededMs: 1 });
    const [one, other] = [linkOf('one').hash, linkOf('not theirs').hash];
    await version('one', []);
    await assert.rejects(version('two', []), isFull);
    await hold(store, 'not theirs', shared, { kind: 'replica', from: new Uint8Array(32) });
    await assert.rejects(version('two', [], { replaces: other }), isFull);
    await version('two', [block('c', 20_000)], { replaces: one });
    assert.deepEqual([isHeld(store, 'one'), isHeld(store, 'two')], [true, true]);
    await assert.rejects(version('three', [], { replaces: one }), isFull, 'once is enough');
    await replaced('one');
    assert.deepEqual([isHeld(store, 'one'), isHeld(store, 'two')], [false, true]);
    assert.ok(store.holdings.usageFor(from).bytes <= 250_000);
    await assert.rejects(version('too large', [block('d', 60_000)], { replaces: one }), isFull);
    assert.ok(isHeld(store, 'two'));
  });

  test('of one peer counts once what was set aside and turned out to be here', async (t) => {
    const { store } = await testStore(t, { perPeerBudgetBytes: 250_000 });
    const blocks = [block('a', 100_000), block('b', 100_000)];
    await hold(store, 'visited', blocks);
    const link = linkOf('kept');
    const kept = { kind: 'replica', from: new Uint8Array(32), root: link } as const;
    await using holding = await store.holdings.open(kept);
    await holding.reserve(200_000);
    assert.deepEqual(await holding.adopt(blocks.map(({ hash }) => hash)), []);
    await holding.complete({ link, files: 1, bytes: 1 });
  });

  test('of one peer keeps what it replaced only while there is room for more', async (t) => {
    const { store } = await testStore(t, { perPeerBudgetBytes: 300_000 });
    const kept = { kind: 'replica', from: new Uint8Array(32).fill(1) } as const;
    for (const name of ['old', 'older']) {
      await hold(store, name, [block(name, 100_000)], kept);
      const supersededMs = name === 'old' ? 2 : 1;
      await store.holdings.change(linkOf(name).hash, { supersededMs });
    }
    await hold(store, 'small', [block('small', 50_000)], kept);
    assert.deepEqual([isHeld(store, 'old'), isHeld(store, 'older')], [true, true]);
    await hold(store, 'new', [block('new', 100_000)], kept);
    assert.deepEqual([isHeld(store, 'old'), isHeld(store, 'older')], [true, false]);
    await assert.rejects(hold(store, 'large', [block('large', 260_000)], kept), isFull);
    assert.ok(isHeld(store, 'old'), 'it would not have helped');
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

  test('of one peer is none for who reads the same: then it counts as visited', async (t) => {
    const { store, folder } = await testStore(t, { perPeerBudgetBytes: 250_000 });
    const from = new Uint8Array(32).fill(1);
    const kept = { kind: 'replica', from, source: '4:080808' } as const;
    const parts = ['a', 'b', 'c'].map((name) => block(name, 100_000));
    for (const first of ['replica', 'visited'] as const) {
      const root = linkOf(`${first} first`);
      const kinds = [{ ...kept, root }, { kind: 'visited', root } as const];
      const opened = [];
      for (const what of first === 'replica' ? kinds : kinds.toReversed()) {
        opened.push(await store.holdings.open(what));
      }
      const [one, other] = opened;
      assert.ok(one && other);
      const [hostile, reader] = first === 'replica' ? [one, other] : [other, one];
      await hostile.reserve(100_000);
      for (const part of parts.slice(0, 2)) await reader.putAll([part]);
      await reader.putAll(parts.slice(2));
      assert.equal(store.holdings.usageFor(from).bytes, 0);
      await assert.rejects(store.holdings.open({ ...kept, root }), isFull);
      await reader.complete({ link: root, files: 1, bytes: 300_000 });
      await hostile.close();
      await reader.close();
      assert.equal(store.holdings.get(root.hash)?.kind, 'visited');
    }
    await hold(store, 'their own', [block('d', 200_000)], kept);
    await store.close();
    assert.deepEqual((await auditStore(folder)).problems, []);
  });

  test('of one peer does not refuse a reader who sets room aside', async (t) => {
    const { store } = await testStore(t, { perPeerBudgetBytes: 250_000 });
    const from = new Uint8Array(32).fill(1);
    const root = linkOf('both');
    await using hostile = await store.holdings.open({ kind: 'replica', from, root });
    await hostile.putAll([block('a', 100_000)]);
    await using reader = await store.holdings.open({ kind: 'visited', root });
    await assert.rejects(hostile.reserve(200_000), isFull);
    assert.equal(store.holdings.get(root.hash)?.kind, 'replica');
    await reader.reserve(200_000);
    assert.equal(store.holdings.get(root.hash)?.kind, 'visited');
    await reader.putAll([block('b', 200_000)]);
    await reader.complete({ link: root, files: 1, bytes: 300_000 });
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
