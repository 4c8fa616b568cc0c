import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder, atEnd } from '../../test/support/cleanup.ts';
import { nodeOptions } from '../../test/support/node-options.ts';
import { silentLogger } from '../base/logger.ts';
import { startNode } from './node.ts';

test('what is blocked goes from the disk, at once and at the next start', async (t) => {
  const folder = path.join(temporaryFolder(t), 'site');
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'index.html'), '<h1>hello</h1>');
  const options = nodeOptions(t);
  const first = await startNode(options, { log: silentLogger });
  atEnd(t, () => first.stop());
  const { services } = first;
  const { root, cid } = await services.publish({ path: folder });
  const kept = await services.putValue(new Uint8Array(100));

  const blocked = await services.block({ what: root, note: 'a test' });
  assert.deepEqual(blocked, { entry: `/ipfs/${cid}`, changed: true, chunk_count: 2 });
  assert.deepEqual(
    (await services.sites()).map((site) => site.root),
    [kept.key],
  );
  const again = await services.block({ what: cid });
  assert.deepEqual(again, { entry: `/ipfs/${cid}`, changed: false, chunk_count: 0 });
  const list = await services.blocklist();
  assert.deepEqual(list, {
    file: path.join(options.data, 'blocklist.txt'),
    entries: [`/ipfs/${cid} note:a%20test`],
    count: 1,
    bad: [],
    bad_count: 0,
    foreign_count: 0,
  });
  const unblocked = await services.unblock({ what: cid });
  assert.deepEqual(unblocked, { entry: `/ipfs/${cid}`, changed: true, chunk_count: 0 });
  assert.equal((await services.blocklist()).count, 0);

  await first.stop();
  writeFileSync(path.join(options.data, 'blocklist.txt'), `${kept.key}\n`);
  const second = await startNode(options, { log: silentLogger });
  atEnd(t, () => second.stop());
  await second.services.block({ what: 'alice' }); // a look of its own, after that of the start
  assert.deepEqual(await second.services.sites(), []);
});

test('a node does not start with a list that it cannot read', async (t) => {
  const options = nodeOptions(t);
  mkdirSync(path.join(options.data, 'trusted-revokers.txt'), { recursive: true });
  const message = /trusted-revokers\.txt cannot be read: it is a folder; the node does not start/;
  const starting = startNode(options, { log: silentLogger });
  await assert.rejects(starting, { code: 'LIST_UNREADABLE', message });
});
