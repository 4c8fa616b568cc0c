import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { CID } from 'multiformats/cid';
import { create } from 'tar';
import { atEnd, temporaryFolder } from '../../test/support/cleanup.ts';
import { nodeOptions } from '../../test/support/node-options.ts';
import type { NodeServices } from '../api/ports.ts';
import { utf8 } from '../base/bytes.ts';
import { silentLogger } from '../base/logger.ts';
import { type RunningNode, startNode } from './node.ts';
import { rootOf } from './services-names.ts';

async function start(t: TestContext, bootstrap: readonly string[] = []): Promise<RunningNode> {
  const options = nodeOptions(t, { bootstrap });
  const node = await startNode(options, { log: silentLogger });
  atEnd(t, () => node.stop());
  return node;
}

async function pair(t: TestContext): Promise<[NodeServices, NodeServices, RunningNode]> {
  const one = await start(t);
  const two = await start(t, [one.ready.listen]);
  return [one.services, two.services, one];
}

function siteFolder(t: TestContext, entry = 'index.html'): string {
  const folder = path.join(temporaryFolder(t), 'site');
  mkdirSync(folder);
  writeFileSync(path.join(folder, entry), '<h1>hello</h1>');
  return folder;
}

test('a site is published with a name, resolved, fetched by name and by root', async (t) => {
  const [one, two] = await pair(t);
  const published = await one.publish({ path: siteFolder(t), name: 'Hello' });
  assert.deepEqual([published.name, published.version, published.files], ['hello.alt', 1, 1]);
  assert.equal(published.url, 'http://hello.alt/');
  const resolved = await two.resolve('hello.alt');
  assert.equal(resolved.root, published.root);
  assert.equal(resolved.owner, one.keys().authorPublicKey);
  const dest = temporaryFolder(t);
  for (const what of ['hello', published.root, published.cid]) {
    const into = path.join(dest, what.slice(0, 8));
    assert.equal((await two.fetch({ what, dest: into })).files, 1);
    assert.equal(readFileSync(path.join(into, 'index.html'), 'utf8'), '<h1>hello</h1>');
  }
  await assert.rejects(two.fetch({ what: 'nobody', dest }), { code: 'NAME_NOT_FOUND' });
  await assert.rejects(two.fetch({ what: 'not a name', dest }), { code: 'BAD_NAME' });
  const taken = two.publish({ path: '/nowhere', name: 'hello' });
  await assert.rejects(taken, { code: 'NAME_TAKEN' }, 'whose it is comes before the folder');
  const below = two.publish({ path: '/nowhere', name: 'blog.hello' });
  await assert.rejects(below, { code: 'NAME_NOT_YOURS' });
  const bad = one.publish({ path: '/nowhere', name: '-' });
  await assert.rejects(bad, { code: 'BAD_NAME' }, 'the name is looked at first');
});

test('a guest fetches, finds and puts, but nobody relies on it afterwards', async (t) => {
  const one = await start(t);
  const options = nodeOptions(t, { bootstrap: [one.ready.listen], guest: true });
  const guest = await startNode(options, { log: silentLogger });
  atEnd(t, () => guest.stop());
  const { root } = await one.services.publish({ path: siteFolder(t) });
  const before = await one.services.stats();
  const dest = path.join(temporaryFolder(t), 'copy');
  assert.equal((await guest.services.fetch({ what: root, dest })).peers, 1);
  const put = await guest.services.putLink({
    url: 'http://a.example/',
    target: 'https://b.example/',
  });
  assert.equal(put.stored, 1, 'with the other, not with itself');
  const after = await one.services.stats();
  assert.equal(after.table, 0);
  assert.equal(after.records, before.records + 1, 'the link, and no provider record');
  assert.equal((await guest.services.stats()).mode, 'client');
});

test('a name that moves on leaves the old site, which goes, unless it was kept', async (t) => {
  const { services } = await start(t);
  const folder = siteFolder(t);
  const publish = async (text: string, keep = false): Promise<string> => {
    writeFileSync(path.join(folder, 'index.html'), text);
    return (await services.publish({ path: folder, name: 'alice', keep })).root;
  };
  /** Names, and whether it goes, of each own root. */
  const held = async (): Promise<Record<string, [string[], boolean]>> => {
    const sites = await services.sites({ own: true });
    return Object.fromEntries(
      sites.map(({ root, names, superseded }) => [root, [names, superseded !== undefined]]),
    );
  };
  const one = await publish('one');
  await services.update({ name: 'old.alice', root: one });
  const two = await publish('two', true);
  assert.deepEqual(await held(), {
    [one]: [['old.alice.alt'], false],
    [two]: [['alice.alt'], false],
  });
  await services.release({ name: 'old.alice' });
  const three = await publish('three');
  assert.deepEqual(await held(), {
    [one]: [[], true],
    [two]: [[], false],
    [three]: [['alice.alt'], false],
  });
  await services.update({ name: 'alice', root: one });
  assert.deepEqual((await held())[one], [['alice.alt'], false], 'it is wanted again');
  assert.deepEqual((await held())[three], [[], true]);
});

test('versions without a name replace each other, and one without change is none', async (t) => {
  const { services } = await start(t);
  const folder = siteFolder(t);
  const one = await services.publish({ path: folder });
  const same = await services.publish({ path: folder, replaces: one.root });
  assert.equal(same.root, one.root);
  const [only] = await services.sites();
  assert.deepEqual([only?.root, only?.superseded], [one.root, undefined]);
  const named = await services.publish({ path: folder, name: 'alice' });
  const again = await services.publish({ path: folder, name: 'alice', replaces: one.root });
  assert.deepEqual([named.version, again.version], [1, 1], 'the name shows it already');
  await services.release({ name: 'alice' });
  writeFileSync(path.join(folder, 'more.html'), 'more');
  await services.publish({ path: folder, replaces: one.root });
  const old = (await services.sites()).find(({ root }) => root === one.root);
  assert.ok(old?.superseded);
  const bad = services.publish({ path: folder, replaces: 'none' });
  await assert.rejects(bad, { code: 'BAD_ROOT' });
});

test('what was published here can be taken back, and nothing else', async (t) => {
  const [one, two] = await pair(t);
  const { root, cid } = await one.publish({ path: siteFolder(t), name: 'alice' });
  await two.fetch({ what: root, dest: path.join(temporaryFolder(t), 'copy') });
  const [visited] = await two.sites();
  const { kind, complete, files } = visited ?? {};
  assert.deepEqual([kind, complete, files], ['visited', true, 1]);
  assert.deepEqual(await two.sites({ own: true }), []);
  const { own, copies, visited: visits } = await two.stats();
  assert.deepEqual([own, copies, visits], [0, 0, 1]);
  await assert.rejects(two.unpublish({ what: root }), { code: 'NOT_PUBLISHED' });
  await assert.rejects(two.unpublish({ what: 'alice' }), { code: 'NOT_PUBLISHED' });
  assert.deepEqual(await one.unpublish({ what: 'Alice.alt' }), { root, cid, names: ['alice.alt'] });
  assert.deepEqual(await one.sites(), []);
  assert.equal((await one.resolve('alice')).root, root, 'the name stays');
  await assert.rejects(one.unpublish({ what: cid }), { code: 'NOT_PUBLISHED' });
  const { key } = await one.putValue(utf8('hello'));
  const taken = await one.unpublish({ what: key });
  assert.ok(taken.cid.startsWith('bafkrei'), 'a value is raw');
});

test('a site without a name has the address of its root', async (t) => {
  const { services } = await start(t);
  const published = await services.publish({ path: siteFolder(t, 'a b#.html') });
  assert.equal(published.name, undefined);
  assert.ok(published.url.startsWith(`http://${published.cid}.alt/`));
});

test('names are registered, updated, listed and refused', async (t) => {
  const [one, two] = await pair(t);
  const root = 'ab'.repeat(32);
  const registered = await one.register({ name: 'alice', root });
  assert.deepEqual([registered.version, registered.root], [1, root]);
  assert.equal((await one.update({ name: 'alice', root: 'cd'.repeat(32) })).version, 2);
  const [listed] = await one.names();
  assert.deepEqual([listed?.name, listed?.version], ['alice.alt', 2]);
  await assert.rejects(two.register({ name: 'alice', root }), { code: 'NAME_TAKEN' });
  await assert.rejects(two.update({ name: 'alice', root }), { code: 'NAME_NOT_YOURS' });
  await assert.rejects(two.register({ name: 'bob', root: 'zz' }), { code: 'BAD_ROOT' });
});

test('names are passed on, divided and given up', async (t) => {
  const [one, two] = await pair(t);
  const [first, second] = ['ab'.repeat(32), 'cd'.repeat(32)];
  await one.register({ name: 'alice', root: first });
  await one.update({ name: 'blog.alice', root: second });
  assert.equal((await two.resolve('blog.alice.alt')).root, second);
  const author = two.keys().authorPublicKey;
  const offered = await one.transfer({ name: 'alice', author });
  const { to, toAuthor, version } = offered;
  assert.deepEqual([to, toAuthor, version], [author, two.keys().author, 3]);
  await two.register({ name: 'alice', root: second });
  const { owner, root } = await one.resolve('alice');
  assert.deepEqual([owner, root], [author, second]);
  assert.deepEqual(await one.names(), []);
  await assert.rejects(one.update({ name: 'alice', root: first }), { code: 'NAME_NOT_YOURS' });
  const { name, ok, freeAt } = await two.release({ name: 'alice' });
  assert.deepEqual([name, ok, typeof freeAt], ['alice.alt', true, 'number']);
  assert.equal((await two.resolve('alice')).state, 'not-found');
  await assert.rejects(one.transfer({ name: 'alice', author: 'ab' }), { code: 'BAD_ARGUMENT' });
});

test('links are put, got as they come, listed and removed', async (t) => {
  const [one, two] = await pair(t);
  const url = 'http://dead.example/a';
  const target = 'https://mirror.example/a';
  const sha256 = '0a'.repeat(32);
  const work: unknown[] = [];
  const onProgress = (progress: unknown): void => void work.push(progress);
  const input = { url, target, sha256, captured: 5, type: 'text/html', note: 'mine' };
  const put = await one.putLink(input, { onProgress });
  assert.equal(put.publisher, one.keys().author);
  const lines = [];
  for await (const line of two.getLinks(url)) lines.push(line);
  assert.partialDeepStrictEqual(lines, [
    { url, target, sha256, captured: 5, type: 'text/html', note: 'mine' },
    { done: true, found: 1 },
  ]);
  for await (const line of two.getLinks(url)) {
    assert.ok('target' in line);
    break; // ends the search
  }
  assert.equal((await one.links())[0]?.url, url);
  await one.removeLink({ url, target });
  assert.deepEqual(await one.links(), []);
  const wrong = one.putLink({ url, target, sha256: 'abc' });
  await assert.rejects(wrong, { code: 'BAD_ARGUMENT' });
});

test('values are put and got by their hash', async (t) => {
  const [one, two] = await pair(t);
  const value = utf8('hello');
  const { key } = await one.putValue(value);
  assert.deepEqual(new Uint8Array((await two.getValue(key)).value), value);
  await assert.rejects(two.getValue('abc'), { code: 'BAD_ARGUMENT' });
});

test('nodes are pinged, found and joined', async (t) => {
  const [one, two, { ready }] = await pair(t);
  const { node } = one.keys();
  for (const id of [undefined, node, node.slice(0, 40).toUpperCase()]) {
    const [pinged, ...more] = await two.ping(id);
    assert.deepEqual([pinged?.id, pinged?.address, more.length], [node, ready.listen, 0]);
    assert.ok((pinged?.ms ?? -1) >= 0);
  }
  assert.deepEqual(await two.find(node), [{ id: node, address: ready.listen }]);
  await assert.rejects(two.ping('xyz'), { code: 'BAD_ARGUMENT' });
  await assert.rejects(two.ping('00'.repeat(32)), { code: 'UNREACHABLE' });
  await assert.rejects(two.ping('00'.repeat(20)), { code: 'UNREACHABLE' });
  await assert.rejects(two.find('00'), { code: 'BAD_ARGUMENT' });
  const joined = await two.bootstrap(`${ready.listen}#${node}`);
  assert.deepEqual(joined, { id: node, address: ready.listen, table: 1 });
  await assert.rejects(two.bootstrap('nonsense'), { code: 'BAD_ADDRESS' });
  const signal = AbortSignal.abort(new Error('gave up'));
  await assert.rejects(two.ping(undefined, { signal }), /gave up/);
});

test('a node tells of itself', async (t) => {
  const [one, two] = await pair(t);
  const { mode, table, budget, uptime, fewCopies, looked } = await two.stats();
  assert.deepEqual([fewCopies, looked], [0, undefined]);
  assert.deepEqual([mode, table, budget], ['server', 1, 1 << 30]);
  assert.ok(uptime >= 0);
  const [peer] = await two.peers();
  assert.deepEqual([peer?.id, peer?.via], [one.keys().node, 'dht']);
  const info = await two.dht();
  assert.deepEqual([info.mode, info.table, info.buckets.length], ['server', 1, 1]);
  assert.ok(Object.keys(info.requests).some((name) => name.startsWith('answered.')));
});

test('a name that shows nothing says why', () => {
  const root = CID.parse('bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am');
  const name = 'alice.alt';
  const common = { name, asked: 5 };
  assert.equal(rootOf({ ...common, state: 'new', root }), root);
  const whys = [
    ['contested', 'NAME_CONTESTED'],
    ['expired', 'NAME_EXPIRED'],
    ['revoked', 'NAME_REVOKED'],
    ['blocked', 'NAME_BLOCKED'],
    ['not-found', 'NAME_NOT_FOUND'],
  ] as const;
  for (const [state, code] of whys) {
    assert.throws(() => rootOf({ ...common, state, root, claimants: [] }), { code });
  }
});

test('the same root again is no new version, and who it was registered for stays', async (t) => {
  const [one] = await pair(t);
  const { root, cid } = await one.publish({ path: siteFolder(t) });
  const other = await one.publish({ path: siteFolder(t, 'other.html') });
  const first = await one.register({ name: 'idem', root, owner: 'Bob' });
  assert.equal(first.version, 1);
  const again = [
    await one.register({ name: 'IDEM.alt', root: cid, owner: 'Bob' }),
    await one.update({ name: 'idem', root }),
  ];
  for (const result of again) assert.deepEqual(result, { ...first, stored: result.stored });
  const taken = { code: 'NAME_TAKEN', details: { name: 'idem.alt', owner: 'Bob' } };
  await assert.rejects(one.register({ name: 'idem', root, owner: 'Eve' }), taken);
  assert.equal((await one.update({ name: 'idem', root: other.root })).version, 2);
  const below = await one.update({ name: 'blog.idem', root });
  assert.equal((await one.update({ name: 'blog.idem', root })).version, below.version);
  const shown = (await one.names()).map(({ name, registrant }) => [name, registrant]);
  assert.deepEqual(shown, [
    ['idem.alt', 'Bob'],
    ['blog.idem.alt', undefined],
  ]);
  await one.release({ name: 'idem' });
  assert.deepEqual(await one.names(), []);
  await one.register({ name: 'idem', root, owner: 'Eve' });
  assert.equal((await one.names())[0]?.registrant, 'Eve');
});

test('of a tar archive, what does not belong to the site does not stay on the disk', async (t) => {
  const [one] = await pair(t);
  const folder = siteFolder(t);
  writeFileSync(path.join(folder, '.altignore'), '*.log\n');
  writeFileSync(path.join(folder, 'left-out.log'), 'x'.repeat(300_000));
  const body = create({ cwd: folder, portable: true }, ['.']);
  const packed = await one.publishTar({ name: 'packed' }, body);
  const { blocks } = await one.stats();
  const { root, files, bytes } = await one.publish({ path: folder });
  assert.deepEqual([packed.root, packed.files, packed.bytes], [root, files, bytes]);
  assert.equal((await one.stats()).blocks, blocks);
  assert.equal((await one.resolve('packed')).root, root);
  const broken = create({ cwd: folder }, ['left-out.log', 'index.html']);
  const pieces: Uint8Array[] = [];
  for await (const piece of broken as AsyncIterable<Uint8Array>) pieces.push(piece);
  const cut = Readable.from(pieces.map((piece) => piece.subarray(0, -9000)));
  await assert.rejects(one.publishTar({}, cut), { code: 'BAD_ARGUMENT' });
  assert.equal((await one.stats()).blocks, blocks, 'nothing of it stays');
});
