/** A published site through another node's gateway: real blocks, real streams between peers. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import type { CID } from 'multiformats/cid';
import { atEnd, temporaryFolder } from '../../test/support/cleanup.ts';
import { RecordBoard, startContentNode } from '../../test/support/content-net.ts';
import { clientOf, type Reply } from '../../test/support/gateway.ts';
import { MemoryNames } from '../../test/support/memory-sites.ts';
import { systemWorld } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import type { SiteReader } from '../content/types.ts';
import { Gateway } from './gateway.ts';

const big: Buffer = Buffer.from(Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 31) >> 7));

function makeSite(t: TestContext): string {
  const folder = temporaryFolder(t);
  mkdirSync(path.join(folder, 'docs'));
  writeFileSync(path.join(folder, 'index.html'), '<h1>hello</h1>');
  writeFileSync(path.join(folder, 'docs/a b.txt'), 'a text');
  writeFileSync(path.join(folder, 'big.bin'), big);
  return folder;
}

/** Opens paths of one site as a browser on the node of `sites` would. */
async function openIn(
  t: TestContext,
  sites: SiteReader,
  root: CID,
): Promise<(path: string, headers?: Record<string, string>) => Promise<Reply>> {
  const names = new MemoryNames();
  names.set('alice', { state: 'ok', root });
  const deps = { names, sites, log: silentLogger, world: systemWorld };
  const gateway = new Gateway(deps, { host: '127.0.0.1', port: 0 });
  await gateway.start();
  atEnd(t, () => gateway.stop());
  const ask = clientOf(gateway.address().port);
  return (target, headers = {}) => ask('alice.localhost', target, { headers });
}

test('a node that never saw a site shows it from a peer, whole and in parts', async (t) => {
  const board = new RecordBoard();
  const [author, reader] = [await startContentNode(t, board), await startContentNode(t, board)];
  const { root } = await author.sites.publish(makeSite(t));
  const get = await openIn(t, reader.sites, root);

  const front = await get('/');
  assert.equal(front.status, 200);
  assert.equal(front.text, '<h1>hello</h1>');
  assert.equal(front.headers['content-type'], 'text/html; charset=utf-8');

  const part = await get('/big.bin', { range: 'bytes=1500000-1500999' });
  assert.equal(part.status, 206);
  assert.ok(big.subarray(1_500_000, 1_501_000).equals(part.bytes));

  const whole = await get('/big.bin');
  assert.ok(big.equals(whole.bytes));
  const etag = String(whole.headers['etag']);
  assert.equal((await get('/big.bin', { 'if-none-match': etag })).status, 304);

  assert.equal((await get('/docs')).headers['location'], '/docs/');
  const list = await get('/docs/');
  assert.match(list.text, /<a href="\.\/a%20b\.txt">a b\.txt<\/a>/);
  assert.equal((await get('/docs/a%20b.txt')).text, 'a text');
  for (const missing of ['/nothing', '/docs/nothing/', '/index.html/below', '/index.html/']) {
    assert.equal((await get(missing)).status, 404, missing);
  }
});

test('a site whose only holder has gone is a 502 that says so', async (t) => {
  const board = new RecordBoard();
  const [author, reader] = [await startContentNode(t, board), await startContentNode(t, board)];
  const { root } = await author.sites.publish(makeSite(t));
  await author.host.stop();
  const get = await openIn(t, reader.sites, root);
  const answer = await get('/');
  assert.equal(answer.status, 502);
  assert.match(answer.text, /The site could not be fetched/);
});
