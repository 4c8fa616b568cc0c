/** What the disk budget and a bad disk do to what a user asks for, on whole nodes. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { atEnd, temporaryFolder } from '../../test/support/cleanup.ts';
import { nodeOptions } from '../../test/support/node-options.ts';
import { rot } from '../../test/support/rot.ts';
import { isAltNetError } from '../base/errors.ts';
import { silentLogger } from '../base/logger.ts';
import { type RunningNode, startNode } from './node.ts';
import type { NodeOptions } from './options.ts';

const budget = 16 * 1024 * 1024;

async function start(t: TestContext, options: NodeOptions): Promise<RunningNode> {
  const node = await startNode(options, { log: silentLogger });
  atEnd(t, () => node.stop());
  return node;
}

function siteOf(t: TestContext, megabytes: number): string {
  const folder = path.join(temporaryFolder(t), 'site');
  mkdirSync(folder);
  for (let i = 0; i < megabytes; i++)
    writeFileSync(path.join(folder, `${i}.bin`), randomBytes(1_000_000));
  return folder;
}

test('who publishes the same folder twice at once needs the room once', async (t) => {
  const { services } = await start(t, nodeOptions(t, { storeBudgetBytes: budget }));
  const folder = siteOf(t, 10);
  const [one, two] = await Promise.all([
    services.publish({ path: folder }),
    services.publish({ path: folder }),
  ]);
  assert.equal(one.root, two.root);
  assert.ok((await services.stats()).bytes <= budget);
});

test('a site that can never fit is refused by its full size', async (t) => {
  const big = await start(t, nodeOptions(t));
  const { root } = await big.services.publish({ path: siteOf(t, 25) });
  const bootstrap = [big.ready.listen];
  const small = await start(t, nodeOptions(t, { bootstrap, storeBudgetBytes: budget }));
  const dest = path.join(temporaryFolder(t), 'copy');
  for (let i = 0; i < 2; i++) {
    await assert.rejects(small.services.fetch({ what: root, dest }), (error) => {
      assert.ok(isAltNetError(error, 'STORE_FULL'));
      // The second time less is missing, and still more than fits.
      assert.ok(error.details.bytes >= (i === 0 ? 25_000_000 : budget));
      return true;
    });
  }
  const { bytes } = await small.services.stats();
  assert.ok(bytes < budget / 2, `${bytes} came before it was given up`);
});

test('own sites that a lowered budget has no room for stay, and the start says so', async (t) => {
  const options = nodeOptions(t);
  const first = await startNode(options, { log: silentLogger });
  const { root } = await first.services.publish({ path: siteOf(t, 20) });
  await first.stop();
  const { ready, services } = await start(t, { ...options, storeBudgetBytes: budget });
  assert.match(
    ready.notes.join('\n'),
    /^your own sites take 2\d MB, more than the 17 MB of --sto/m,
  );
  assert.equal((await services.sites())[0]?.root, root);
});

test('a value whose block has rotted is fetched again, or said to be lost', async (t) => {
  const holder = await start(t, nodeOptions(t));
  for (const bootstrap of [[], [holder.ready.listen]]) {
    const options = nodeOptions(t, { bootstrap });
    const { services } = await start(t, options);
    const value = randomBytes(20_000);
    const { key } = await services.putValue(value);
    rot(path.join(options.data, 'store/packs'), value);
    const getting = services.getValue(key);
    if (bootstrap.length > 0) assert.deepEqual(Buffer.from((await getting).value), value);
    else await assert.rejects(getting, { code: 'CONTENT_UNAVAILABLE' });
  }
});

test('what is no place for files is not a full disk', async (t) => {
  if (!existsSync('/proc/self')) return;
  const { services } = await start(t, nodeOptions(t));
  const { root } = await services.publish({ path: siteOf(t, 1) });
  const fetching = services.fetch({ what: root, dest: '/proc/altnet-site' });
  await assert.rejects(fetching, { code: 'PATH_UNSUPPORTED' });
});
