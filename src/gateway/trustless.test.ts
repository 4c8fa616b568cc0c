/** Sites as blocks and archives, read with the common reader and checked block by block. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { CarReader } from '@ipld/car';
import { CID } from 'multiformats/cid';
import { atEnd, temporaryFolder } from '../../test/support/cleanup.ts';
import { type ContentNode, RecordBoard, startContentNode } from '../../test/support/content-net.ts';
import { clientOf, raw, type RunningGateway } from '../../test/support/gateway.ts';
import { MemoryBlocks } from '../../test/support/memory-blocks.ts';
import { MemoryNames } from '../../test/support/memory-sites.ts';
import { SwitchedDenials } from '../../test/support/switched-denials.ts';
import { equalBytes } from '../base/bytes.ts';
import { systemWorld } from '../base/clock.ts';
import { sha256 } from '../base/hash.ts';
import { silentLogger } from '../base/logger.ts';
import { requireLink } from '../content/dag/root.ts';
import { exportSite } from '../content/export.ts';
import { Gateway } from './gateway.ts';

const carType = 'application/vnd.ipld.car';
const rawType = 'application/vnd.ipld.raw';
const big: Buffer = randomBytes(3_000_000); // no two blocks alike

function makeSite(t: TestContext): string {
  const folder = temporaryFolder(t);
  mkdirSync(path.join(folder, 'docs'));
  writeFileSync(path.join(folder, 'index.html'), '<h1>hello</h1>');
  writeFileSync(path.join(folder, 'docs/a.txt'), 'a text');
  writeFileSync(path.join(folder, 'docs/b.txt'), 'b text');
  writeFileSync(path.join(folder, 'big.bin'), big);
  return folder;
}

interface Browsing {
  readonly ask: RunningGateway['ask'];
  readonly port: number;
  readonly root: CID;
  readonly host: string;
  readonly folder: string;
  readonly author: ContentNode;
  readonly denials: SwitchedDenials;
}

/** A gateway of a node that has nothing of the site yet. */
async function browse(t: TestContext): Promise<Browsing> {
  const board = new RecordBoard();
  const denials = new SwitchedDenials();
  const author = await startContentNode(t, board);
  const { sites } = await startContentNode(t, board, { denials });
  const folder = makeSite(t);
  const { root } = await author.sites.publish(folder);
  const names = new MemoryNames();
  names.set('alice', { state: 'ok', root });
  const deps = { names, sites, dags: sites, denials, log: silentLogger, world: systemWorld };
  const gateway = new Gateway(deps, { host: '127.0.0.1', port: 0 });
  await gateway.start();
  atEnd(t, () => gateway.stop());
  const { port } = gateway.address();
  const host = `${root.toString()}.localhost`;
  return { ask: clientOf(port), port, root, host, folder, author, denials };
}

interface Archive {
  readonly roots: readonly string[];
  /** In order. */
  readonly cids: readonly string[];
  readonly blocks: MemoryBlocks;
}

/** Reads an archive; every block must be what its CID says, and come once. */
async function readArchive(bytes: Uint8Array): Promise<Archive> {
  const reader = await CarReader.fromBytes(bytes);
  const blocks = new MemoryBlocks();
  const cids: string[] = [];
  for await (const block of reader.blocks()) {
    assert.ok(equalBytes(sha256(block.bytes), block.cid.multihash.digest));
    cids.push(block.cid.toString());
    blocks.add(block.bytes);
  }
  assert.equal(new Set(cids).size, cids.length);
  return { roots: (await reader.getRoots()).map(String), cids, blocks };
}

test('an archive of a site, fetched from a peer, is the site', async (t) => {
  const { ask, root, host, folder, author } = await browse(t);
  const reply = await ask(host, '/?format=car');
  assert.equal(reply.status, 200);
  assert.equal(reply.headers['content-type'], `${carType}; version=1; order=dfs; dups=n`);
  const name = root.toString();
  assert.equal(reply.headers['content-disposition'], `attachment; filename="${name}.car"`);
  assert.equal(reply.headers['cache-control'], 'public, max-age=31536000, immutable');
  assert.equal(reply.headers['x-content-type-options'], 'nosniff');
  assert.equal(reply.headers['accept-ranges'], undefined);
  const { roots, cids, blocks } = await readArchive(reply.bytes);
  assert.deepEqual([roots, cids[0]], [[name], name]);
  assert.equal(blocks.size, author.blocks.size);
  const dest = path.join(temporaryFolder(t), 'out');
  await exportSite(blocks, requireLink(root), dest);
  for (const file of ['index.html', 'docs/a.txt', 'docs/b.txt', 'big.bin']) {
    assert.ok(readFileSync(path.join(dest, file)).equals(readFileSync(path.join(folder, file))));
  }
  const etag = String(reply.headers['etag']);
  const again = await ask(host, '/?format=car', { headers: { 'if-none-match': etag } });
  assert.deepEqual([again.status, again.headers['etag']], [304, etag]);
  assert.equal(again.headers['vary'], 'Accept');
  const head = await ask(host, '/?format=car', { method: 'HEAD' });
  assert.deepEqual([head.status, head.bytes.length], [200, 0]);
  for (const header of ['content-type', 'etag', 'content-disposition', 'cache-control']) {
    assert.equal(head.headers[header], reply.headers[header]);
  }
});

test('parts of a site come with the blocks that prove them', async (t) => {
  const { ask, root } = await browse(t);
  const archive = async (target: string): Promise<Archive & { etag: unknown }> => {
    const { status, bytes, headers } = await ask('alice.localhost', target);
    assert.equal(status, 200, target);
    assert.equal(headers['cache-control'], 'public, max-age=5, must-revalidate');
    return { ...(await readArchive(bytes)), etag: headers['etag'] };
  };
  const parts = 12; // 3,000,000 octets in blocks of 256 KiB
  const cases: [target: string, count: number][] = [
    ['/docs/?format=car', 4],
    ['/docs?format=car&dag-scope=entity', 2],
    ['/docs/?format=car&dag-scope=block', 2],
    ['/docs/a.txt?format=car', 3],
    ['/big.bin?format=car', 2 + parts],
    ['/big.bin?format=car&dag-scope=block', 2],
    ['/big.bin?format=car&dag-scope=entity', 2 + parts],
    ['/big.bin?format=car&entity-bytes=0:*', 2 + parts],
    ['/big.bin?format=car&entity-bytes=0:262143', 3],
    ['/big.bin?format=car&entity-bytes=0:262144', 4],
    ['/big.bin?format=car&entity-bytes=262144:262144', 3],
    ['/big.bin?format=car&entity-bytes=-1:*', 3],
    ['/big.bin?format=car&entity-bytes=2900000:99999999', 3],
    ['/big.bin?format=car&entity-bytes=-99999999:-2999999', 3],
    ['/big.bin?format=car&entity-bytes=99999999:*', 2],
    ['/big.bin?format=car&entity-bytes=9:5', 2],
    ['/docs?format=car&entity-bytes=0:5', 2],
  ];
  const etags = new Set<unknown>();
  for (const [target, count] of cases) {
    const { cids, etag } = await archive(target);
    assert.equal(cids.length, count, target);
    assert.equal(cids[0], root.toString(), 'the way from the root is proven');
    etags.add(etag);
  }
  const same = 2; // "/docs/" and "/docs" are one place
  assert.ok(etags.size >= cases.length - same, 'each has a tag of its own');
});

test('one block, by parameter and by Accept', async (t) => {
  const { ask, host, root, author } = await browse(t);
  const block = await ask(host, '/docs?format=raw');
  assert.equal(block.headers['content-type'], rawType);
  assert.equal(block.headers['content-length'], String(block.bytes.length));
  const cid = /filename="(.*)\.bin"/.exec(String(block.headers['content-disposition']))?.[1] ?? '';
  assert.equal(block.headers['etag'], `"${cid}.raw"`);
  const { digest } = CID.parse(cid).multihash;
  assert.ok(equalBytes(sha256(block.bytes), digest) && author.blocks.has(digest));
  const accepted = await ask(host, '/docs', { headers: { accept: rawType } });
  assert.ok(accepted.bytes.equals(block.bytes));
  assert.equal(accepted.headers['content-location'], '/docs?format=raw');
  assert.equal(accepted.headers['vary'], 'Accept');
  const accept = `${rawType};q=0.5, ${carType};version=1;order=dfs;dups=y`;
  const archive = await ask(host, '/docs/a.txt?q', { headers: { accept } });
  assert.equal(archive.headers['content-type'], `${carType}; version=1; order=dfs; dups=n`);
  assert.equal(archive.headers['content-location'], '/docs/a.txt?q&format=car');
  const page = await ask(host, '/?format=html');
  assert.equal(page.text, '<h1>hello</h1>', 'another format is the site’s own business');
  const direct = await ask('127.0.0.1', `/ipfs/${root.toString()}/docs?format=raw`);
  assert.ok(direct.bytes.equals(block.bytes), 'programs need no host of its own');
});

test('what is asked wrongly or for nothing is told', async (t) => {
  const { ask, host } = await browse(t);
  const cases: [target: string, status: number, text: RegExp][] = [
    ['/nothing?format=car', 404, /nothing at \/nothing/],
    ['/index.html/x?format=raw', 404, /no such page/],
    ['/?format=car&dag-scope=some', 400, /dag-scope=some; there are/],
    ['/?format=car&entity-bytes=1-2', 400, /write FROM:TO/],
    ['/?format=car&entity-bytes=', 400, /write FROM:TO/],
    ['/?format=car&car-version=2', 400, /there is only version 1/],
  ];
  for (const [target, status, text] of cases) {
    const reply = await ask(host, target);
    assert.equal(reply.status, status, target);
    assert.match(reply.text, text);
  }
  const accept = `${carType};version=2`;
  assert.equal((await ask(host, '/', { headers: { accept } })).status, 400);
});

test('the CID of nothing tells that blocks are to be had', async (t) => {
  const { ask } = await browse(t);
  const block = await ask('localhost', '/ipfs/bafkqaaa?format=raw');
  assert.deepEqual([block.status, block.bytes.length], [200, 0]);
  const archive = await ask('localhost', '/ipfs/bafkqaaa', { headers: { accept: carType } });
  assert.deepEqual((await readArchive(archive.bytes)).roots, ['bafkqaaa']);
  assert.equal((await ask('localhost', '/ipfs/bafkqaaa')).status, 400, 'there is no such site');
});

test('what is denied is not given, nor what has it inside', async (t) => {
  const { ask, port, root, host, denials } = await browse(t);
  assert.equal((await ask(host, '/?format=car')).status, 200, 'all of it is here now');
  denials.denyPath(root.multihash.digest, 'docs/b.txt');
  assert.equal((await ask(host, '/docs/b.txt?format=raw')).status, 451);
  assert.equal((await ask(host, '/docs/b.txt?format=car')).status, 451);
  denials.denyBlock(sha256(Buffer.from('a text')), 'revoked');
  assert.equal((await ask(host, '/docs/a.txt?format=raw')).status, 410);
  await assert.rejects(ask(host, '/?format=car'), /aborted|hang up/, 'no archive looks whole');
  const begun = await raw(
    port,
    `GET /?format=car HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
  );
  assert.match(begun, /^HTTP\/1\.1 200 /);
  assert.doesNotMatch(begun, /a text|\r\n0\r\n\r\n$/);
  denials.denyBlock(root.multihash.digest);
  assert.equal((await ask(host, '/?format=car')).status, 451);
  assert.equal((await ask(host, '/?format=raw')).status, 451);
});
