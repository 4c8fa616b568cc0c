import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, isAltNetError } from '../base/errors.ts';
import { unixSeconds } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { SigningKey } from '../identity/key.ts';
import { encodeBody } from '../record/body.ts';
import { signRecord } from '../record/envelope.ts';
import { recordKinds, storeStatuses } from '../record/kinds.ts';
import { hashUrl, linkKey, makeLinkRecord } from '../record/link.ts';
import { networkId, type NetworkProfile, networkProfiles } from '../record/network.ts';
import { LinkNet, MemoryLinkPublisher, MemoryNotes } from '../../test/support/link-net.ts';
import { manualWorld } from '../../test/support/manual-world.ts';
import { Links } from './links.ts';
import type { LinkNotes } from './ports.ts';
import type { FoundLink, LinkSearchEnd } from './types.ts';

const url = 'http://dead.example/driver.rar';
const target = 'https://mirror.example/driver.rar';
const key = linkKey(hashUrl('//dead.example/driver.rar'));

function authorOf(fill: number): SigningKey {
  return new SigningKey('author', new Uint8Array(32).fill(fill));
}

function setUp({
  storers = 5,
  profile = networkProfiles.local,
}: { storers?: number; profile?: NetworkProfile } = {}) {
  const world = manualWorld();
  const network = networkId(profile);
  const judging = { profile, network };
  const net = new LinkNet(storers, () => ({
    ...judging,
    nowUnixSeconds: unixSeconds(world.clock),
  }));
  /** One author's node; the same number twice is one author on two machines. */
  const node = (fill: number, notes: LinkNotes = new MemoryNotes()): Links =>
    new Links({
      dht: net,
      publisher: new MemoryLinkPublisher(net),
      notes,
      authorKey: authorOf(fill),
      profile,
      world,
      log: silentLogger,
    });
  return { world, network, net, node };
}

async function collect(
  search: AsyncGenerator<FoundLink, LinkSearchEnd>,
): Promise<{ links: FoundLink[]; end: LinkSearchEnd }> {
  const links: FoundLink[] = [];
  for (;;) {
    const next = await search.next();
    if (next.done === true) return { links, end: next.value };
    links.push(next.value);
  }
}

function hasCode(code: ErrorCode): (error: unknown) => boolean {
  return (error) => isAltNetError(error, code);
}

test('a link that one node put, another finds', async () => {
  const { world, node } = setUp();
  const link = {
    target,
    sha256: new Uint8Array(32).fill(7),
    size: 1234,
    type: 'application/vnd.rar',
    captured: 1_600_000_000,
    note: 'from my shelf',
  };
  const put = await node(1).put(url, link);
  const publisher = authorOf(1).id;
  const canonical = '//dead.example/driver.rar';
  assert.deepEqual(put, { url, canonical, target, publisher, stored: 5, seconds: 0 });

  const { links, end } = await collect(node(2).get('https://DEAD.example:443/driver.rar#top'));
  const issued = unixSeconds(world.clock);
  assert.deepEqual(links, [{ ...link, publisher, issued, seconds: 0 }]);
  assert.deepEqual(end, { found: 1, asked: 5, seconds: 0 });
});

test('nothing found is an end like any other', async () => {
  const { node } = setUp();
  const { links, end } = await collect(node(1).get(url));
  assert.deepEqual([links.length, end.found, end.asked], [0, 0, 5]);
});

test('each author and target is found once, however many hold it', async () => {
  const { node } = setUp();
  await node(1).put(url, { target });
  await node(2).put(url, { target });
  await node(2).put(url, { target: 'ipfs://x' });
  const { links } = await collect(node(3).get(url));
  assert.equal(links.length, 3);
});

test('putting a target again replaces the link', async () => {
  const { node, net, world } = setUp();
  const links = node(1);
  await links.put(url, { target, note: 'first' });
  await links.put(url, { target, note: 'second' });
  world.advance(1000);
  await links.put(url, { target, note: 'third' });
  const found = await collect(node(2).get(url));
  assert.deepEqual(
    found.links.map(({ note }) => note),
    ['third'],
  );
  assert.equal(net.storers[0]?.list(key).length, 1);
  assert.equal(links.list().length, 1);
});

test('four links of one author fit, a fifth is refused before it is sent', async () => {
  const { node } = setUp();
  const links = node(1);
  for (let i = 0; i < 4; i += 1) await links.put(url, { target: `ipfs://${i}` });
  await assert.rejects(links.put(url, { target }), hasCode('LINK_LIMIT'));
  await links.put(url, { target: 'ipfs://3', note: 'replacing one is no fifth' });
  await links.remove(url, 'ipfs://0');
  await links.put(url, { target });
  const elsewhere = node(1);
  await assert.rejects(elsewhere.put(url, { target: 'ipfs://9' }), /4 links for one URL/);
});

test('a withdrawn link is found no more, and may come back', async () => {
  const { node } = setUp();
  const links = node(1);
  await links.put(url, { target });
  const removed = await links.remove(url, target);
  assert.equal(removed.stored, 5);
  assert.deepEqual(links.list(), []);
  assert.deepEqual((await collect(node(2).get(url))).links, []);
  await assert.rejects(links.remove(url, target), hasCode('LINK_NOT_FOUND'));
  await links.put(url, { target });
  assert.equal((await collect(node(2).get(url))).links.length, 1);
});

test('one storer that saw the tombstone is enough, if it answers first', async () => {
  const { node, net } = setUp();
  const links = node(1);
  await links.put(url, { target });
  for (const storer of net.storers.slice(1)) storer.refuseWith = storeStatuses.QUOTA_NET;
  assert.equal((await links.remove(url, target)).stored, 1);
  assert.deepEqual((await collect(node(2).get(url))).links, []);
});

test('a link may be withdrawn from another machine of its author', async () => {
  const { node } = setUp();
  await node(1).put(url, { target });
  await assert.rejects(node(2).remove(url, target), hasCode('LINK_NOT_FOUND'));
  await node(1).remove(url, target);
  assert.deepEqual((await collect(node(2).get(url))).links, []);
});

test('an author whose clock went back still writes the newer link', async () => {
  const { node, net, network, world } = setUp();
  const seq = BigInt(unixSeconds(world.clock) + 300);
  const issued = unixSeconds(world.clock);
  const body = { urlHash: hashUrl('//dead.example/driver.rar'), target, note: 'of the future' };
  net.store(makeLinkRecord(body, { seq, issued }, { key: authorOf(1), network }));
  const put = await node(1).put(url, { target, note: 'newer' });
  assert.equal(put.stored, 5);
  const { links } = await collect(node(2).get(url));
  assert.equal(links[0]?.note, 'newer');
});

test('the list shows URLs, targets and times of this node', async () => {
  const { node, world } = setUp();
  const notes = new MemoryNotes();
  const links = node(1, notes);
  await links.put(url, { target });
  const issued = unixSeconds(world.clock);
  assert.deepEqual(links.list(), [{ url, target, issued, expires: issued + 30 * 86_400 }]);
  await links.remove(url, target);
  assert.equal(notes.values.size, 0, 'the URL is forgotten with its last link');
});

test('work is done once per URL', async () => {
  const profile: NetworkProfile = { name: 'trial', powNameBits: 0, powLinkBits: 6 };
  const { node, net, world } = setUp({ profile });
  const links = node(1);
  const putting = links.put(url, { target });
  await world.advanceAsync(10);
  await putting;
  await links.put(url, { target: 'ipfs://x' });
  await links.remove(url, target);
  const nonces = net.storers[0]
    ?.list(key)
    .map(({ powNonce }) => Buffer.from(powNonce).toString('hex'));
  assert.equal(nonces?.length, 2);
  assert.equal(new Set(nonces).size, 1);
});

test('a refusal by all names the reason of most', async () => {
  const { node, net } = setUp();
  for (const storer of net.storers) storer.refuseWith = storeStatuses.QUOTA_NET;
  if (net.storers[0]) net.storers[0].refuseWith = storeStatuses.RATE;
  await assert.rejects(node(1).put(url, { target }), (error) => {
    assert.ok(isAltNetError(error, 'RECORD_REFUSED'));
    return error.details.status === 'QUOTA_NET';
  });
  await assert.rejects(setUp({ storers: 0 }).node(1).put(url, { target }), hasCode('NO_PEERS'));
});

test('bad input is refused before anything is asked', async () => {
  const { node, net } = setUp();
  const links = node(1);
  await assert.rejects(links.put('dead.example', { target }), hasCode('BAD_URL'));
  await assert.rejects(links.put(url, { target: 'javascript:alert(1)' }), hasCode('BAD_URL'));
  await assert.rejects(links.put(url, { target, note: '\n' }), hasCode('BAD_ARGUMENT'));
  await assert.rejects(links.remove(url, 'nowhere'), hasCode('BAD_URL'));
  await assert.rejects(links.get('ftp://x/').next(), hasCode('BAD_URL'));
  assert.equal(net.storers[0]?.list(key).length, 0);
});

test('what a hostile author signed is not shown', async () => {
  const { node, net, network, world } = setUp();
  const issued = unixSeconds(world.clock);
  const urlHash = hashUrl('//dead.example/driver.rar');
  const signer = { key: authorOf(9), network };
  for (const evil of ['javascript:alert(1)', 'file:///etc/passwd', 'https://a/\u202Egpj.exe']) {
    net.store(makeLinkRecord({ urlHash, target: evil }, { seq: 1n, issued }, signer));
  }
  const { links, end } = await collect(node(1).get(url));
  assert.deepEqual([links.length, end.found], [0, 0]);
});

test('who stops reading ends the search', async () => {
  const { node, net } = setUp();
  await node(1).put(url, { target });
  for await (const link of node(2).get(url)) {
    assert.equal(link.target, target);
    break;
  }
  assert.equal(net.brokenOff, 1);
});

test('a search, a publication and its work can be given up', async () => {
  const profile: NetworkProfile = { name: 'hard', powNameBits: 0, powLinkBits: 200 };
  const { node, world } = setUp({ profile });
  const gaveUp = new Error('gave up');
  const signal = AbortSignal.abort(gaveUp);
  await assert.rejects(node(1).get(url, { signal }).next(), gaveUp);
  await assert.rejects(node(1).remove(url, target, { signal }), gaveUp);
  const controller = new AbortController();
  const onProgress = (): void => controller.abort(gaveUp);
  const putting = node(1).put(url, { target }, { signal: controller.signal, onProgress });
  const ended = assert.rejects(putting, gaveUp);
  await world.advanceAsync(10);
  await ended;
});

test('a newer record of another author does not raise the seq', async () => {
  const { node, net, network, world } = setUp();
  const issued = unixSeconds(world.clock);
  const body = encodeBody(
    new Map<number, Uint8Array | string>([
      [1, target],
      [10, hashUrl('//x/')],
    ]),
  );
  const foreign = signRecord(
    {
      kind: recordKinds.link,
      tombstone: false,
      key: linkKey(hashUrl('//x/')),
      seq: 2n ** 63n,
      issued,
      expires: issued + 1,
      powNonce: new Uint8Array(8),
      body,
    },
    authorOf(9),
    network,
  );
  for (const storer of net.storers) {
    storer.accept = () => ({ status: storeStatuses.SEQ_OLD, conflicting: foreign });
  }
  await assert.rejects(node(1).put(url, { target }), hasCode('RECORD_REFUSED'));
});

test('one storer that shows an old link does not make its author go back behind it', async () => {
  const { node, net, network, world } = setUp();
  const issued = unixSeconds(world.clock);
  const body = { urlHash: hashUrl('//dead.example/driver.rar'), target, note: 'old' };
  const old = makeLinkRecord(body, { seq: 1n, issued }, { key: authorOf(1), network });
  const links = node(1);
  for (const note of ['first', 'second', 'third']) await links.put(url, { target, note });
  const [liar] = net.storers;
  assert.ok(liar);
  liar.accept = () => ({ status: storeStatuses.SEQ_OLD, conflicting: old });
  assert.equal((await links.put(url, { target, note: 'fourth' })).stored, 4);
  assert.equal((await links.put(url, { target, note: 'fifth' })).stored, 4);
  assert.equal(net.storers[1]?.list(key)[0]?.seq, BigInt(issued + 4));
});

test('a URL is not remembered for a link that never came about', async () => {
  const profile: NetworkProfile = { name: 'hard', powNameBits: 0, powLinkBits: 200 };
  const { node, world } = setUp({ profile });
  const notes = new MemoryNotes();
  const controller = new AbortController();
  const onProgress = (): void => controller.abort(new Error('gave up'));
  const putting = node(1, notes).put(url, { target }, { signal: controller.signal, onProgress });
  const ended = assert.rejects(putting, /gave up/);
  await world.advanceAsync(10);
  await ended;
  assert.equal(notes.values.size, 0);
});

test('a record of a later epoch is still gone above', async () => {
  const { node, net, network, world } = setUp();
  const issued = unixSeconds(world.clock);
  const body = { urlHash: hashUrl('//dead.example/driver.rar'), target };
  net.store(makeLinkRecord(body, { seq: 1n << 48n, issued }, { key: authorOf(1), network }));
  assert.equal((await node(1).put(url, { target, note: 'newer' })).stored, 5);
});
