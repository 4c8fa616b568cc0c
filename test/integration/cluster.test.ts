/**
 * The main job on eight real nodes: publish, name, find, fetch, link, and go on when the author is
 * gone.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../support/cleanup.ts';
import {
  altnet,
  altnetLines,
  type ClusterNode,
  eventually,
  guideFolder,
  startCluster,
  startNode,
  tryAltnet,
} from '../support/cluster.ts';
import { readFolder } from '../support/folders.ts';

function nodeAt(nodes: readonly ClusterNode[], index: number): ClusterNode {
  const node = nodes[index];
  assert.ok(node);
  return node;
}

/** A folder of several shapes: empty, small and larger than a block, nested, hidden. */
function makeSite(t: TestContext): string {
  const folder = temporaryFolder(t);
  mkdirSync(path.join(folder, 'deep/er'), { recursive: true });
  writeFileSync(path.join(folder, 'index.html'), '<!doctype html><title>x</title><h1>x</h1>');
  writeFileSync(path.join(folder, 'empty.txt'), '');
  writeFileSync(path.join(folder, 'big.bin'), randomBytes(3_000_000));
  writeFileSync(path.join(folder, 'deep/er/ünïcode name.txt'), 'text');
  writeFileSync(path.join(folder, '.secret'), 'must not leave this machine');
  return folder;
}

test('eight nodes', async (t) => {
  const nodes = await startCluster(t, 8);
  const [a, b, c, h] = [0, 1, 2, 7].map((index) => nodeAt(nodes, index)) as [
    ClusterNode,
    ClusterNode,
    ClusterNode,
    ClusterNode,
  ];
  const dead = 'http://dead.example/driver.rar';
  const mirror = 'https://mirror.example/driver.rar';
  let root = '';

  await t.test('a folder is published with a name, and every other node resolves it', async () => {
    const published = await altnet(a, 'publish', guideFolder, '--name', 'hello.alt');
    assert.equal(published['name'], 'hello.alt');
    assert.equal(published['version'], 1);
    assert.equal(published['files'], readFolder(guideFolder).size);
    root = String(published['root']);
    assert.match(root, /^[0-9a-f]{64}$/);
    for (const node of nodes.slice(1)) {
      const resolved = await altnet(node, 'resolve', 'hello.alt');
      assert.equal(resolved['root'], root, node.name);
      assert.equal(resolved['cid'], published['cid']);
      assert.equal(resolved['owner'], a.ready.authorPublicKey);
      assert.match(String(resolved['state']), /^(ok|new)$/);
    }
  });

  await t.test('another author cannot take the name, and is told who has it', async () => {
    const other = await altnet(b, 'publish', makeSite(t));
    const refused = await tryAltnet(b, 'register', 'hello', String(other['root']));
    assert.equal(refused.code, 1);
    assert.equal(refused.stdout, '');
    assert.equal((JSON.parse(refused.stderr) as { code: string }).code, 'NAME_TAKEN');
    assert.equal((await altnet(c, 'resolve', 'hello'))['root'], root);
  });

  await t.test('an alternative link is put on one node and found on a third', async () => {
    const put = await altnet(b, 'link', 'put', dead, mirror, '--note', 'same file');
    assert.equal(put['target'], mirror);
    assert.equal(put['publisher'], b.ready.author);
    assert.ok(Number(put['stored']) > 0);
    const lines = await altnetLines(c, 'link', 'get', 'HTTP://DEAD.example:80/driver.rar#top');
    const [found, done] = [lines.slice(0, -1), lines.at(-1)];
    assert.deepEqual(
      found.map(({ target, publisher, note }) => ({ target, publisher, note })),
      [{ target: mirror, publisher: b.ready.author, note: 'same file' }],
    );
    assert.equal(done?.['done'], true);
    assert.equal(done?.['found'], 1);
  });

  await t.test('a removed link is found no more', async () => {
    const [url, target] = ['http://dead.example/gone', 'https://mirror.example/wrong'];
    await altnet(b, 'link', 'put', url, target);
    await altnet(b, 'link', 'remove', url, target);
    const { code, stdout, stderr } = await tryAltnet(c, 'link', 'get', url);
    assert.equal(code, 1);
    assert.equal((JSON.parse(stdout) as { found: number }).found, 0);
    assert.equal((JSON.parse(stderr) as { code: string }).code, 'LINK_NOT_FOUND');
  });

  await t.test('a fetched folder equals its source, byte for byte', async () => {
    const site = makeSite(t);
    const published = await altnet(c, 'publish', site);
    const dest = path.join(temporaryFolder(t), 'copy');
    const fetched = await altnet(h, 'fetch', String(published['cid']), dest);
    assert.equal(fetched['root'], published['root']);
    assert.deepEqual(readFolder(dest), readFolder(site));
  });

  await t.test('the alternative that works is downloaded and verified', async () => {
    const url = 'http://dead.example/guide';
    const page = readFileSync(path.join(guideFolder, 'index.html'));
    const sha256 = createHash('sha256').update(page).digest('hex');
    const dest = path.join(temporaryFolder(t), 'copy.html');
    await altnet(c, 'link', 'put', url, 'http://hello.alt/none.html');
    await altnet(c, 'link', 'put', url, 'magnet:?xt=urn:btih:0123');
    await altnet(a, 'link', 'put', url, 'http://hello.alt/', '--sha256', sha256);
    const lines = await altnetLines(h, 'link', 'get', url, '--fetch', dest);
    assert.equal(lines.filter(({ target }) => target !== undefined).length, 3);
    const { fetched, verified, bytes } = lines.at(-1) ?? {};
    assert.deepEqual([fetched, verified, bytes], ['http://hello.alt/', true, page.length]);
    assert.deepEqual(readFileSync(dest), page);
    const again = await tryAltnet(h, 'link', 'get', url, '--fetch', dest);
    assert.deepEqual([again.code, again.stdout], [1, '']);
  });

  await t.test('a small value is read by its SHA-256', async () => {
    const key = createHash('sha256').update('a small value').digest('hex');
    assert.equal((await altnet(b, 'put', 'a small value'))['key'], key);
    assert.equal((await altnet(h, 'get', key))['value'], 'a small value');
  });

  await t.test('the owner moves the name to a new root', async () => {
    const site = makeSite(t);
    const published = await altnet(a, 'publish', site, '--name', 'moving');
    writeFileSync(path.join(site, 'index.html'), '<!doctype html><title>y</title><h1>y</h1>');
    const again = await altnet(a, 'publish', site, '--name', 'moving');
    assert.equal(again['version'], 2);
    assert.notEqual(again['root'], published['root']);
    assert.equal((await altnet(h, 'resolve', 'moving'))['root'], again['root']);
  });

  await t.test('a restarted node keeps its keys, names and links', async () => {
    assert.equal(await b.end('SIGTERM'), 0);
    const bootstrap = c.ready.listen;
    const restarted = await startNode(t, { name: 'B again', data: b.data, bootstrap });
    assert.equal(restarted.ready.node, b.ready.node);
    assert.equal(restarted.ready.author, b.ready.author);
    const links = await altnetLines(restarted, 'links');
    assert.deepEqual(
      links.map(({ target }) => target),
      [mirror],
    );
  });

  await t.test('the site stays when its author is killed', async () => {
    const first = path.join(temporaryFolder(t), 'before');
    await altnet(h, 'fetch', 'hello.alt', first);
    await a.end('SIGKILL');
    const dest = path.join(temporaryFolder(t), 'after');
    // H tells the network in the background that it holds the site; nothing says when it has.
    await eventually('C fetches from H', async () => {
      return (await tryAltnet(c, 'fetch', 'hello.alt', dest)).code === 0;
    });
    assert.deepEqual(readFolder(dest), readFolder(guideFolder));
  });
});
