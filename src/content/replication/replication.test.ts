import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { toHex } from '../../base/bytes.ts';
import { noDenials } from '../../base/denial.ts';
import { providerKey } from '../../record/provider.ts';
import { holdersOf, intervalMs, keepNet, makeSite } from '../../../test/support/keep-net.ts';
import { multihashOf, requireLink } from '../dag/root.ts';

test('a site is copied to as many nodes as wanted and outlives its publisher', async (t) => {
  const net = keepNet(t);
  const [publisher, ...others] = await net.startAll(8);
  assert.ok(publisher);
  const phases = new Set<string | undefined>();
  const { root, ...said } = await publisher.sites.publish(await makeSite(t), {
    onProgress: ({ phase }) => phases.add(phase),
  });
  const { hash } = requireLink(root);
  assert.deepEqual([said.replicas, said.wanted, said.refused], [6, 6, []]);
  const holders = holdersOf(others, hash);
  assert.equal(holders.length, 6);
  const [holder] = holders;
  assert.equal(holder?.holdings.get(hash)?.kind, 'replica');
  assert.equal(toHex(holder?.holdings.get(hash)?.from ?? hash), toHex(publisher.key.publicKey));
  assert.equal(net.board.live(providerKey(multihashOf(requireLink(root)))).length, 7);

  const again = await publisher.sites.publish(await makeSite(t, 0));
  assert.equal(again.replicas, 6);
  await net.kill(publisher);
  const reader = await net.start({ isKeeper: () => false });
  assert.ok((await reader.sites.ensure(root)).peers > 0);
});

test('what is published again is held already', async (t) => {
  const net = keepNet(t);
  const [publisher, ...others] = await net.startAll(4);
  assert.ok(publisher);
  const folder = await makeSite(t);
  const first = await publisher.sites.publish(folder);
  assert.deepEqual(first.refused, [{ why: 'too-few', nodes: 3 }]);
  const written = others.map(({ blocks }) => blocks.written.length);
  const second = await publisher.sites.publish(folder);
  assert.equal(second.replicas, 3);
  assert.deepEqual(
    others.map(({ blocks }) => blocks.written.length),
    written,
  );
});

test('those who publish the same at the same time share its copies', async (t) => {
  const net = keepNet(t);
  const [publisher] = await net.startAll(7);
  assert.ok(publisher);
  const { sites } = publisher;
  const folder = await makeSite(t);
  const other = await sites.publish(await makeSite(t));
  const published = await Promise.all([
    sites.publish(folder),
    sites.publish(folder),
    sites.publish(folder, { replaces: other.root }),
  ]);
  assert.deepEqual(
    published.map(({ replicas, refused }) => [replicas, refused]),
    [
      [6, []],
      [6, []],
      [6, []],
    ],
  );
});

test('progress counts the copies that are under way', async (t) => {
  const net = keepNet(t);
  const [publisher] = await net.startAll(2);
  assert.ok(publisher);
  const copying: { bytes: number; total: number }[] = [];
  const { root, bytes } = await publisher.sites.add(await makeSite(t));
  await publisher.sites.replicate(root, {
    onProgress: ({ bytes: had, bytesTotal: total = 0 }) => copying.push({ bytes: had, total }),
  });
  const [first] = copying;
  assert.ok(first && first.total >= bytes && first.total < 2 * bytes, 'one node makes one copy');
});

test('full nodes refuse, and the answer says so', async (t) => {
  const net = keepNet(t);
  const [publisher, ...others] = await net.startAll(8);
  assert.ok(publisher);
  for (const { holdings } of others.slice(0, 5)) holdings.bytesMax = 100_000;
  const { replicas, refused } = await publisher.sites.publish(await makeSite(t));
  assert.equal(replicas, 2);
  assert.deepEqual(refused, [{ why: 'budget', nodes: 5 }]);
});

test('what is larger than one peer may store is announced only', async (t) => {
  const net = keepNet(t);
  const publisher = await net.start({ perPeerBytesMax: 100_000 });
  const keeper = await net.start();
  const { replicas, refused, announced } = await publisher.sites.publish(await makeSite(t));
  assert.deepEqual([replicas, announced], [0, 1]);
  assert.deepEqual(refused, [{ why: 'too-large', nodes: 6 }]);
  assert.equal(keeper.holdings.list().length, 0);
});

test('each refusal has its reason', async (t) => {
  const net = keepNet(t);
  const publisher = await net.start();
  const [tight, blocking, guest] = [
    await net.start(),
    await net.start({}, { denials: { ...noDenials, ofBlock: () => ({ why: 'blocked' }) } }),
    await net.start(),
  ];
  tight.holdings.perPeerBytesMax = 10_000;
  await guest.host.stop(); // known to the DHT and gone
  const { refused } = await publisher.sites.publish(await makeSite(t));
  assert.equal(holdersOf([tight, blocking, guest], new Uint8Array()).length, 0);
  const byReason = Object.fromEntries(refused.map(({ why, nodes }) => [why, nodes]));
  assert.deepEqual(byReason, { 'too-large': 1, blocked: 1, unreachable: 1, 'too-few': 3 });
});

test('a node that is far from a root refuses it, unless it holds the version before', async (t) => {
  const net = keepNet(t);
  const [publisher, keeper] = await net.startAll(2, { replicas: 1 });
  assert.ok(publisher && keeper);
  const folder = await makeSite(t);
  const first = await publisher.sites.publish(folder);
  net.keepers.far = true;
  const other = await publisher.sites.publish(await makeSite(t));
  assert.deepEqual(other.refused, [{ why: 'far', nodes: 1 }]);
  await writeFile(path.join(folder, 'index.html'), 'changed');
  const next = await publisher.sites.publish(folder, { replaces: first.root });
  assert.equal(next.replicas, 1);
});

test('an update brings only what changed, and the version before goes after a while', async (t) => {
  const net = keepNet(t);
  const [publisher, keeper] = await net.startAll(2, { replicas: 1, graceMs: 4 * intervalMs });
  assert.ok(publisher && keeper);
  const folder = await makeSite(t, 8);
  const first = await publisher.sites.publish(folder);
  const before = keeper.blocks.written.length;
  await writeFile(path.join(folder, 'index.html'), 'changed');
  const second = await publisher.sites.publish(folder, { replaces: first.root });
  assert.equal(second.replicas, 1);
  const came = keeper.blocks.written.length - before;
  assert.ok(came <= 3, `${came} blocks came: the page, its folder, and the other folder's node`);
  await publisher.sites.supersede(first.root);

  const [old, current] = [requireLink(first.root).hash, requireLink(second.root).hash];
  assert.notEqual(keeper.holdings.get(old)?.supersededMs, undefined);
  assert.equal(keeper.holdings.get(current)?.supersededMs, undefined);
  await net.pass(2 * intervalMs);
  assert.equal(holdersOf([publisher, keeper], old).length, 2, 'a grace period');
  await net.until(
    'the old version is gone',
    () => holdersOf([publisher, keeper], old).length === 0,
  );
  assert.equal(holdersOf([publisher, keeper], current).length, 2);
  await net.until(
    'its records are withdrawn',
    () => net.board.live(providerKey(multihashOf({ codec: 'raw', hash: old }))).length === 0,
  );
});

test('only the peer for which a copy was made may replace it', async (t) => {
  const net = keepNet(t);
  const [publisher, keeper, other] = await net.startAll(3, { replicas: 2 });
  assert.ok(publisher && keeper && other);
  const first = await publisher.sites.publish(await makeSite(t));
  await other.sites.publish(await makeSite(t), { replaces: first.root });
  assert.equal(keeper.holdings.get(requireLink(first.root).hash)?.supersededMs, undefined);
});

test('values are copied too, without making their author wait', async (t) => {
  const net = keepNet(t);
  const [author, ...others] = await net.startAll(4);
  assert.ok(author);
  const { hash } = await author.sites.putValue(Buffer.from('a value'));
  await net.until('three copies', () => holdersOf(others, hash).length === 3);
});

test('an own site that is unpublished is gone here and stays with its keepers', async (t) => {
  const net = keepNet(t);
  const [publisher, keeper] = await net.startAll(2);
  assert.ok(publisher && keeper);
  const { root } = await publisher.sites.publish(await makeSite(t));
  const { hash } = requireLink(root);
  await publisher.sites.unpublish(root);
  assert.deepEqual(publisher.sites.list(), []);
  assert.equal(holdersOf([keeper], hash).length, 1);
  const key = providerKey(multihashOf(requireLink(root)));
  await net.until('its record is withdrawn', () => net.board.live(key).length === 1);
});

test('a site that is to be kept is not superseded', async (t) => {
  const net = keepNet(t);
  const [publisher] = await net.startAll(1);
  assert.ok(publisher);
  const { root } = await publisher.sites.publish(await makeSite(t), { keep: true });
  await publisher.sites.supersede(root);
  assert.equal(publisher.sites.list()[0]?.supersededMs, undefined);
});
