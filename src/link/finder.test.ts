import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unixSeconds } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { SigningKey } from '../identity/key.ts';
import { networkId, networkProfiles } from '../record/network.ts';
import { collect } from '../../test/support/collect.ts';
import { LinkNet, MemoryLinkPublisher, MemoryNotes } from '../../test/support/link-net.ts';
import { manualWorld } from '../../test/support/manual-world.ts';
import { Links } from './links.ts';
import type { FoundLink } from './types.ts';

const url = 'http://dead.example/page';

function setUp(storers = 5) {
  const world = manualWorld();
  const profile = networkProfiles.local;
  const network = networkId(profile);
  const net = new LinkNet(storers, () => ({
    profile,
    network,
    nowUnixSeconds: unixSeconds(world.clock),
  }));
  const node = (fill: number): Links =>
    new Links({
      dht: net,
      publisher: new MemoryLinkPublisher(net),
      notes: new MemoryNotes(),
      authorKey: new SigningKey('author', new Uint8Array(32).fill(fill)),
      profile,
      world,
      log: silentLogger,
    });
  return { world, net, node };
}

function putMany(node: (fill: number) => Links, authors: number): Promise<unknown> {
  const puts = Array.from({ length: authors }, async (_, author) => {
    const links = node(author + 1);
    for (let i = 0; i < 4; i++) await links.put(url, { target: `ipfs://${author}-${i}` });
  });
  return Promise.all(puts);
}

function find(links: Links, what = url): Promise<FoundLink[]> {
  return collect(links.get(what));
}

test('a few links come with the first answers, and nobody is asked twice', async () => {
  const { net, node } = setUp();
  await node(1).put(url, { target: 'ipfs://a' });
  assert.equal((await find(node(2))).length, 1);
  assert.deepEqual(net.fetched, { digests: 0, records: 0 });
});

test('all of 128 links by 32 authors are found, each fetched about once', async () => {
  const { net, node } = setUp(8);
  await putMany(node, 32);
  const found = await find(node(99));
  assert.equal(found.length, 128);
  assert.equal(new Set(found.map(({ target }) => target)).size, 128);
  assert.equal(net.fetched.digests, 8);
  assert.ok(net.fetched.records <= 30, `${net.fetched.records} batches of up to six`);
});

test('holders that list links and keep them back hide none', async () => {
  const { net, node } = setUp(8);
  await putMany(node, 10);
  for (const storer of net.storers.slice(0, 2)) storer.withholds = true;
  assert.equal((await find(node(99))).length, 40);
});

test('an author shows four links, whatever storers hold', async () => {
  const { net, node } = setUp(8);
  // Storers that know nothing of each other: each takes four.
  for (const [i, storer] of net.storers.entries()) {
    const part = new LinkNet(0, () => assert.fail());
    part.storers.push(storer);
    const links = new Links({
      dht: part,
      publisher: new MemoryLinkPublisher(part),
      notes: new MemoryNotes(),
      authorKey: new SigningKey('author', new Uint8Array(32).fill(1)),
      profile: networkProfiles.local,
      world: manualWorld(),
      log: silentLogger,
    });
    await links.put(url, { target: `ipfs://${i}` });
  }
  assert.equal((await find(node(2))).length, 4);
});

test('equal lookups in flight are one, later ones are new', async () => {
  const { net, node } = setUp();
  await node(1).put(url, { target: 'ipfs://a' });
  const reader = node(2);
  const [one, other] = await Promise.all([
    find(reader),
    find(reader, 'https://dead.example:443/page'),
  ]);
  assert.deepEqual([one.length, other.length, net.searches], [1, 1, 1]);
  await find(reader);
  assert.equal(net.searches, 2);
});

test('who leaves a shared search does not end it for others', async () => {
  const { net, node } = setUp();
  await node(1).put(url, { target: 'ipfs://a' });
  const reader = node(2);
  const leaving = reader.get(url);
  const staying = reader.get(url);
  await Promise.all([leaving.next(), staying.next()]);
  await leaving.return({ found: 0, asked: 0, seconds: 0 });
  const end = await staying.next();
  assert.deepEqual([end.done, net.searches, net.brokenOff], [true, 1, 0]);
});

test('the last reader to leave ends a shared search, and the next begins afresh', async () => {
  const { net, node } = setUp();
  await node(1).put(url, { target: 'ipfs://a' });
  const reader = node(2);
  for (let i = 0; i < 2; i++) {
    const search = reader.get(url);
    await search.next();
    await search.return({ found: 0, asked: 0, seconds: 0 });
  }
  assert.equal(net.searches, 2);
  assert.equal((await find(reader)).length, 1);
});

test('an abort ends one reader of a shared search with its reason', async () => {
  const { node } = setUp();
  await node(1).put(url, { target: 'ipfs://a' });
  const reader = node(2);
  const staying = find(reader);
  const leaving = reader.get(url, { signal: AbortSignal.abort(new Error('enough')) });
  await assert.rejects(leaving.next(), /enough/);
  assert.equal((await staying).length, 1);
});

test('what was found before is shown for a day while nobody answers, and marked', async () => {
  const { world, net, node } = setUp();
  await node(1).put(url, { target: 'ipfs://a' });
  const reader = node(2);
  const [fresh] = await find(reader);
  assert.equal(fresh?.stale, undefined);
  net.cutOff = true;
  const [stale] = await find(reader);
  assert.deepEqual([stale?.target, stale?.stale], ['ipfs://a', true]);
  world.advance(25 * 3_600_000);
  assert.deepEqual(await find(reader), []);
});

test('what was found before does not outlive an answer', async () => {
  const { net, node } = setUp();
  const author = node(1);
  await author.put(url, { target: 'ipfs://a' });
  const reader = node(2);
  await find(reader);
  await author.remove(url, 'ipfs://a');
  assert.deepEqual(await find(reader), []);
  net.cutOff = true;
  assert.deepEqual(await find(reader), []);
});

test('other spellings are searched when there is nothing under the URL, and told', async () => {
  const { net, node } = setUp();
  await node(1).put('http://www.dead.example/page', { target: 'ipfs://a' });
  const [found] = await find(node(2), 'http://dead.example/page?utm_source=x');
  assert.deepEqual([found?.target, found?.variant], ['ipfs://a', 'http://www.dead.example/page']);
  assert.equal(net.searches, 4, 'the URL and three others');
  net.searches = 0;
  await find(node(2), 'http://www.dead.example/page');
  assert.equal(net.searches, 1, 'no other when the URL itself has links');
});

test('who stops among the variants ends all of their searches', async () => {
  const { net, node } = setUp();
  await node(1).put('http://www.dead.example/page', { target: 'ipfs://a' });
  const search = node(2).get('http://dead.example/page?utm_source=x');
  await search.next();
  await search.return({ found: 0, asked: 0, seconds: 0 });
  assert.equal((await find(node(2), 'http://www.dead.example/page')).length, 1);
  assert.ok(net.searches >= 5);
});

test('a link that changed is told again, in its newer words, and counts once', async () => {
  const { world, net, node } = setUp();
  const author = node(1);
  await author.put(url, { target: 'ipfs://a', note: 'one' });
  const [behind, ...others] = net.storers;
  assert.ok(behind);
  net.storers.splice(0, 1);
  world.advance(5000);
  await author.put(url, { target: 'ipfs://a', note: 'two' });
  net.storers.splice(0, net.storers.length, behind, ...others);
  const search = node(2).get(url);
  const notes = [(await search.next()).value, (await search.next()).value].map(
    (link) => link !== undefined && 'note' in link && link.note,
  );
  const end = await search.next();
  assert.deepEqual(notes, ['one', 'two']);
  assert.deepEqual([end.done, end.done === true && end.value.found], [true, 1]);
});

test('searches are counted by what came of them', async () => {
  const { node } = setUp();
  await node(1).put(url, { target: 'ipfs://a' });
  const asking = node(2);
  await find(asking);
  await find(asking);
  await find(asking, 'http://dead.example/nothing');
  for await (const link of asking.get(url)) {
    assert.equal(link.target, 'ipfs://a');
    break; // one was enough
  }
  await assert.rejects(find(asking, 'no URL'), { code: 'BAD_URL' });
  assert.deepEqual(asking.counts(), { found: 2, none: 1, 'broken-off': 1 });
});
