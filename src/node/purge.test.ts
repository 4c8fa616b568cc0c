import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testStore } from '../../test/support/store-folder.ts';
import { block, hold, linkOf } from '../../test/support/store-holdings.ts';
import { type Bytes, equalBytes } from '../base/bytes.ts';
import { type Denial, noDenials } from '../base/denial.ts';
import { silentLogger } from '../base/logger.ts';
import type { Store } from '../store/store.ts';
import { Purge } from './purge.ts';

const revoked: Denial = { why: 'revoked' };
const [one, two, shared] = [block('one', 1000), block('two', 1000), block('shared', 1000)];

test('a denied root goes, and with it the blocks that nobody else has', async (t) => {
  const { store } = await testStore(t);
  await hold(store, 'bad', [one, shared]);
  await hold(store, 'good', [two, shared]);
  const bad = linkOf('bad').hash;
  const ofBlock = (hash: Bytes): Denial | undefined =>
    equalBytes(hash, bad) ? revoked : undefined;
  const purge = new Purge({ store, denials: { ...noDenials, ofBlock }, log: silentLogger });
  assert.equal(await purge.run(), 1);
  assert.equal(purge.dropped, 1);
  assert.ok(!store.blocks.has(one.hash));
  assert.ok(store.blocks.has(two.hash) && store.blocks.has(shared.hash));
  assert.equal(store.holdings.get(bad), undefined);
  assert.equal(await purge.run(), 0);
  await purge.stop();
});

test('what came of it while it went is looked for once more', async (t) => {
  const { store } = await testStore(t);
  await hold(store, 'bad', [one]);
  const { hash } = linkOf('bad');
  let writing = true;
  const holdings = {
    list: () => store.holdings.list(),
    async remove(root: Bytes): Promise<void> {
      await store.holdings.remove(root);
      if (writing) await hold(store, 'bad', [two]);
      writing = false;
    },
  } as Store['holdings'];
  const ofBlock = (asked: Bytes): Denial | undefined =>
    equalBytes(asked, hash) ? revoked : undefined;
  const parts = { store: { blocks: store.blocks, holdings }, log: silentLogger };
  const purge = new Purge({ ...parts, denials: { ...noDenials, ofBlock } });
  await purge.run();
  assert.ok(!store.blocks.has(one.hash) && !store.blocks.has(two.hash));
  assert.equal(store.holdings.get(hash), undefined);
  await purge.stop();
});

test('a change of what is denied is followed until it is stopped', async (t) => {
  const { store } = await testStore(t);
  await hold(store, 'bad', [one]);
  let change: (() => void) | undefined;
  let denied = false;
  const denials = {
    ofBlock: (): Denial | undefined => (denied ? revoked : undefined),
    onChange: (listener: () => void): (() => void) => {
      change = listener;
      return () => (change = undefined);
    },
  };
  const purge = new Purge({ store, denials, log: silentLogger });
  purge.start();
  await purge.run();
  assert.ok(store.blocks.has(one.hash));
  denied = true;
  change?.();
  await purge.run();
  assert.ok(!store.blocks.has(one.hash));
  await purge.stop();
  assert.equal(change, undefined);
});

test('what is allowed again while others go stays, and one that cannot go keeps none here', async (t) => {
  const { store } = await testStore(t);
  for (const [name, held] of [
    ['first', one],
    ['second', two],
    ['third', shared],
  ] as const) {
    await hold(store, name, [held]);
  }
  const [first, second, third] = [
    linkOf('first').hash,
    linkOf('second').hash,
    linkOf('third').hash,
  ];
  let denied: readonly Bytes[] = [first, second, third];
  const holdings = {
    list: () => store.holdings.list(),
    async remove(root: Bytes): Promise<void> {
      denied = [first, third];
      if (equalBytes(root, first)) throw new Error('the disk is at fault');
      await store.holdings.remove(root);
    },
  } as Store['holdings'];
  const ofBlock = (asked: Bytes): Denial | undefined =>
    denied.some((hash) => equalBytes(hash, asked)) ? revoked : undefined;
  const parts = { store: { blocks: store.blocks, holdings }, log: silentLogger };
  const purge = new Purge({ ...parts, denials: { ...noDenials, ofBlock } });
  await assert.rejects(purge.run(), /the disk is at fault/);
  assert.ok(store.holdings.get(first), 'it could not go');
  assert.ok(store.holdings.get(second), 'it was allowed again');
  assert.equal(store.holdings.get(third), undefined);
  await purge.stop();
});
