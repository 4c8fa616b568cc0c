/** Revocation between whole nodes: what it does to disks, names and copies. */
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { atEnd, temporaryFolder } from '../../test/support/cleanup.ts';
import { nodeOptions } from '../../test/support/node-options.ts';
import type { NodeServices } from '../api/ports.ts';
import { silentLogger } from '../base/logger.ts';
import type { NodeOptions } from './options.ts';
import { type RunningNode, startNode } from './node.ts';

interface Running {
  readonly node: RunningNode;
  readonly services: NodeServices;
  readonly options: NodeOptions;
}

async function start(t: TestContext, given: Partial<NodeOptions> = {}): Promise<Running> {
  const options = nodeOptions(t, given);
  const node = await startNode(options, { log: silentLogger });
  atEnd(t, () => node.stop());
  return { node, services: node.services, options };
}

const trust = (data: string, keys: readonly string[]): void =>
  writeFileSync(path.join(data, 'trusted-revokers.txt'), keys.map((key) => `${key}\n`).join(''));

/** A node whose operator trusts this revoker, from its start on. */
async function follower(t: TestContext, first: Running): Promise<Running> {
  const data = temporaryFolder(t);
  trust(data, [first.services.keys().authorPublicKey]);
  return start(t, { data, bootstrap: [first.node.ready.listen] });
}

function site(t: TestContext, text: string): string {
  const folder = temporaryFolder(t);
  writeFileSync(path.join(folder, 'index.html'), `<h1>${text}</h1>`);
  writeFileSync(path.join(folder, 'large.bin'), Buffer.alloc(700_000, text));
  return folder;
}

/** For what comes over the network, and nothing tells. */
async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000;
  while (!(await holds())) {
    assert.ok(performance.now() < end, `never came true: ${what}`);
    await delay(50);
  }
}

const holds = async ({ services }: Running, root: string): Promise<boolean> =>
  (await services.sites()).some((held) => held.root === root);

test('a revoked name goes from all who trust its revoker, and stays where nobody does', async (t) => {
  const revoker = await start(t);
  const member = await follower(t, revoker);
  const stranger = await start(t, { bootstrap: [revoker.node.ready.listen] });
  const { root } = await stranger.services.publish({ path: site(t, 'bad'), name: 'bad' });
  const other = await stranger.services.publish({ path: site(t, 'good'), name: 'good' });
  const dest = temporaryFolder(t);
  for (const { services } of [revoker, member]) {
    for (const what of ['bad', 'good']) {
      const into = path.join(dest, `${services.keys().node.slice(0, 8)}-${what}`);
      await services.fetch({ what, dest: into });
    }
  }
  assert.ok((await holds(member, root)) && (await holds(revoker, root)));

  const result = await revoker.services.revoke({ what: 'bad' });
  assert.equal(result.name, 'bad.alt');
  assert.equal(result.root, root);
  assert.deepEqual([result.ok, result.changed, result.entries], [true, 2, 2]);
  assert.equal(result.chunk_count, 6, 'all blocks of the site went');
  assert.ok(result.stored >= 1);
  assert.ok(!(await holds(revoker, root)));
  await eventually('it is gone from the member', async () => !(await holds(member, root)));
  const [list] = await member.services.revocations();
  assert.deepEqual(
    [list?.revoker, list?.entries, list?.state],
    [revoker.services.keys().authorPublicKey, 2, 'fresh'],
  );
  for (const { services } of [revoker, member]) {
    assert.equal((await services.resolve('bad')).state, 'revoked');
    const fetched = services.fetch({ what: root, dest: path.join(dest, 'refused') });
    await assert.rejects(fetched, { code: 'CONTENT_REVOKED' });
  }
  assert.notEqual((await stranger.services.resolve('bad')).state, 'revoked');
  assert.ok(await holds(member, other.root), 'what is not revoked stays');
  assert.ok(await holds(stranger, root), 'who does not trust the revoker keeps it');
  assert.deepEqual(await stranger.services.revocations(), []);
  assert.equal((await member.services.stats()).revokers, 1);

  const again = await revoker.services.revoke({ what: 'bad' });
  assert.deepEqual([again.changed, again.entries], [0, 2]);
  const undone = await revoker.services.revoke({ what: 'bad', undo: true });
  assert.deepEqual([undone.changed, undone.entries, undone.root], [2, 4, root]);
  await revoker.services.fetch({ what: 'bad', dest: path.join(dest, 'again') });
  assert.ok(await holds(revoker, root), 'it can be had again');
  await assert.rejects(revoker.services.revoke({ what: 'nobody' }), { code: 'NAME_NOT_FOUND' });
  await assert.rejects(revoker.services.revoke({ what: 'not a name' }), { code: 'BAD_NAME' });
  await assert.rejects(revoker.services.revoke({ what: 'blog.good' }), { code: 'BAD_ARGUMENT' });
});

test('own, pinned and copied sites go as well, and their provider records with them', async (t) => {
  const revoker = await start(t);
  const member = await follower(t, revoker);
  const folder = site(t, 'own');
  const { root } = await member.services.publish({ path: folder, name: 'mine', keep: true });
  await eventually('it was copied', () => holds(revoker, root));
  await revoker.services.revoke({ what: root });
  await eventually('it is gone', async () => !(await holds(member, root)));
  await eventually('its blocks went', async () => (await member.services.stats()).blocks === 0);
  const { data } = member.options;
  const files = readdirSync(data, { recursive: true, withFileTypes: true });
  const large = files.filter((file) => file.isFile() && /\bpacks\b/.test(file.parentPath));
  assert.deepEqual(large, []);
});

test('who was off purges on return, and nothing comes back with a restart', async (t) => {
  const revoker = await start(t);
  const member = await follower(t, revoker);
  const { root } = await member.services.publish({ path: site(t, 'bad') });
  const kept = await member.services.publish({ path: site(t, 'good') });
  await member.node.stop();
  await revoker.services.revoke({ what: root });

  const { options } = member;
  const returned = await startNode(options, { log: silentLogger });
  atEnd(t, () => returned.stop());
  const { services } = returned;
  const holdsRoot = async (): Promise<boolean> =>
    (await services.sites()).some((held) => held.root === root);
  await eventually('it is gone after the return', async () => !(await holdsRoot()));
  await returned.stop();

  await revoker.node.stop();
  const alone = await startNode({ ...options, bootstrap: [] }, { log: silentLogger });
  atEnd(t, () => alone.stop());
  const [list] = await alone.services.revocations();
  assert.deepEqual([list?.entries, list?.state], [1, 'fresh'], 'known before anybody answers');
  assert.deepEqual(
    (await alone.services.sites()).map((held) => held.root),
    [kept.root],
  );
});

test('a list that changes while the node runs counts', async (t) => {
  const revoker = await start(t);
  const member = await start(t, { bootstrap: [revoker.node.ready.listen] });
  const { root } = await member.services.publish({ path: site(t, 'bad') });
  await revoker.services.revoke({ what: root });
  assert.ok(await holds(member, root));
  trust(member.options.data, [revoker.services.keys().authorPublicKey]);
  await eventually('it is gone', async () => !(await holds(member, root)));
});
