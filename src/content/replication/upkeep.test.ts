import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { providerKey } from '../../record/provider.ts';
import { holdersOf, intervalMs, keepNet, makeSite } from '../../../test/support/keep-net.ts';
import { MemoryBlocks, MemoryHoldings } from '../../../test/support/memory-blocks.ts';
import { multihashOf, requireLink } from '../dag/root.ts';

test('holders that die one by one are replaced', async (t) => {
  const net = keepNet(t);
  const [publisher, ...others] = await net.startAll(10, { replicas: 3 });
  assert.ok(publisher);
  const { root } = await publisher.sites.publish(await makeSite(t));
  const { hash } = requireLink(root);
  let alive = others;
  await net.kill(publisher);
  for (let round = 0; round < 5; round++) {
    const [victim] = holdersOf(alive, hash);
    assert.ok(victim);
    await net.kill(victim);
    alive = alive.filter((node) => node !== victim);
    await net.until('three holders', () => holdersOf(alive, hash).length >= 3);
  }
  await net.pass(4 * intervalMs);
  const count = holdersOf(alive, hash).length;
  assert.ok(count <= 4, `${count} of 4 nodes`);
});

test('enough holders recruit nobody', async (t) => {
  const net = keepNet(t);
  const [publisher, ...others] = await net.startAll(8, { replicas: 3 });
  assert.ok(publisher);
  const { root } = await publisher.sites.publish(await makeSite(t));
  const { hash } = requireLink(root);
  const before = net.board.searches;
  await net.until('everybody looked several times', () => net.board.searches > before + 16);
  assert.equal(holdersOf(others, hash).length, 3);
});

test('a lost holder is replaced once, not once by each of the others', async (t) => {
  const net = keepNet(t);
  const nodes = await net.startAll(12, { replicas: 5 });
  const [publisher, ...others] = nodes;
  assert.ok(publisher);
  const { root } = await publisher.sites.publish(await makeSite(t));
  const { hash } = requireLink(root);
  const [victim] = holdersOf(others, hash);
  assert.ok(victim);
  await net.kill(victim);
  const alive = others.filter((node) => node !== victim);
  await net.until('five holders', () => holdersOf(alive, hash).length >= 5);
  const before = net.board.searches;
  await net.until('everybody looked again', () => net.board.searches > before + 20);
  const count = holdersOf(alive, hash).length;
  assert.ok(count <= 6, `${count} holders after one of five was lost`);
});

test('a root that lost blocks is completed again', async (t) => {
  const net = keepNet(t);
  // No storage node, so that its copy is not simply made anew by the other.
  const publisher = await net.start({ isKeeper: () => false });
  const keeper = await net.start();
  const { root } = await publisher.sites.publish(await makeSite(t));
  const { hash } = requireLink(root);
  const lost = keeper.blocks.written.slice(-2);
  publisher.holdings.damage(hash, lost);
  assert.equal(holdersOf([publisher], hash).length, 0);
  await net.until('it is complete', () => holdersOf([publisher], hash).length === 1);
  assert.ok(lost.every((block) => publisher.blocks.has(block)));
  assert.equal(publisher.holdings.get(hash)?.kind, 'own');
});

test('after a crash, records of what is gone are withdrawn and what is here is announced', async (t) => {
  const net = keepNet(t);
  const [publisher, keeper] = await net.startAll(2, { replicas: 1 });
  assert.ok(publisher && keeper);
  const [gone, kept] = [
    await publisher.sites.publish(await makeSite(t)),
    await publisher.sites.publish(await makeSite(t)),
  ];
  const keyOf = ({ root }: typeof gone): Uint8Array => providerKey(multihashOf(requireLink(root)));
  assert.deepEqual(
    [keyOf(gone), keyOf(kept)].map((key) => net.board.live(key).length),
    [2, 2],
  );
  await net.kill(keeper);

  // What the crash left: one of the two was evicted, a third was stored and not yet announced.
  const holdings = new MemoryHoldings(new MemoryBlocks());
  for (const block of keeper.blocks.written) {
    const bytes = keeper.blocks.get(block);
    if (bytes) holdings.blocks.add(bytes);
  }
  const silent = { codec: 'raw', hash: holdings.blocks.add(Buffer.from('value')) } as const;
  for (const link of [requireLink(kept.root), silent]) {
    const holding = await holdings.open({ kind: 'replica', root: link });
    await holding.complete({ link, files: 1, bytes: 5 });
  }
  await net.start({ replicas: 1 }, { key: keeper.key, holdings });
  await net.until('one record is gone', () => net.board.live(keyOf(gone)).length === 1);
  await net.until(
    'another is there',
    () => net.board.live(providerKey(multihashOf(silent))).length === 1,
  );
  assert.equal(net.board.live(keyOf(kept)).length, 2);
});

test('a guest looks after nothing', async (t) => {
  const net = keepNet(t);
  const [publisher, guest] = await net.startAll(2, { isKeeper: () => false });
  assert.ok(publisher && guest);
  const { root, refused } = await publisher.sites.publish(await makeSite(t));
  assert.deepEqual(refused, [{ why: 'too-few', nodes: 6 }]);
  assert.equal(holdersOf([guest], requireLink(root).hash).length, 0);
});

test('a copy of a copy learns that a newer version stands in its place', async (t) => {
  const net = keepNet(t);
  const publisher = await net.start({ replicas: 1 });
  const first = await net.start({ replicas: 2, graceMs: 4 * intervalMs });
  const folder = await makeSite(t);
  const { root } = await publisher.sites.publish(folder);
  const { hash } = requireLink(root);
  await net.kill(publisher);
  const second = await net.start({ replicas: 2, graceMs: 4 * intervalMs });
  await net.until('a second copy', () => holdersOf([second], hash).length === 1);
  assert.deepEqual(second.holdings.get(hash)?.from, first.key.publicKey);

  const again = await net.start({ replicas: 1, isKeeper: () => false }, { key: publisher.key });
  await writeFile(path.join(folder, 'index.html'), 'changed');
  net.keepers.remove(second.key); // the author does not meet it
  await again.sites.publish(folder, { replaces: root });
  assert.notEqual(first.holdings.get(hash)?.supersededMs, undefined);
  await net.until('it was told', () => second.holdings.get(hash)?.supersededMs !== undefined);
  await net.until('both are gone', () => holdersOf([first, second], hash).length === 0);
});

test('how the copies of own sites are doing is known from the last look at them', async (t) => {
  const net = keepNet(t);
  const publisher = await net.start({ replicas: 2, isKeeper: () => false });
  const keepers = await net.startAll(3, { replicas: 0 });
  assert.deepEqual(publisher.sites.copiesHealth(), { few: 0, lookedMs: undefined });
  const { root } = await publisher.sites.publish(await makeSite(t));
  const atOnce = publisher.sites.copiesHealth();
  assert.equal(atOnce.few, 0);
  for (const keeper of keepers) await net.kill(keeper);
  await net.until('it is noticed', () => publisher.sites.copiesHealth().few === 1);
  assert.ok((publisher.sites.copiesHealth().lookedMs ?? 0) > (atOnce.lookedMs ?? Infinity));
  await net.startAll(2, { replicas: 0 });
  await net.until('there are copies again', () => publisher.sites.copiesHealth().few === 0);
  await publisher.sites.unpublish(root);
  assert.deepEqual(publisher.sites.copiesHealth(), { few: 0, lookedMs: undefined });
});
