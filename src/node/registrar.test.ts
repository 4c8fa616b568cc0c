/** Names of registrars between whole nodes: what resolves where, and from when on. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { atEnd, temporaryFolder } from '../../test/support/cleanup.ts';
import { nodeOptions } from '../../test/support/node-options.ts';
import { checkName } from '../api/check.ts';
import type { NodeServices } from '../api/ports.ts';
import { silentLogger } from '../base/logger.ts';
import { type RunningNode, startNode } from './node.ts';
import type { NodeOptions } from './options.ts';

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

const listOf = (data: string): string => path.join(data, 'trusted-registrars.txt');

async function member(t: TestContext, registrar: Running): Promise<Running> {
  const data = temporaryFolder(t);
  writeFileSync(listOf(data), `${registrar.services.keys().authorPublicKey} # ours\n`);
  return start(t, { data, bootstrap: [registrar.node.ready.listen] });
}

function site(t: TestContext, text: string): string {
  const folder = temporaryFolder(t);
  writeFileSync(path.join(folder, 'index.html'), `<h1>${text}</h1>`);
  return folder;
}

/** For what comes over the network or from the disk, and nothing tells. */
async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000;
  while (!(await holds())) {
    assert.ok(performance.now() < end, `never came true: ${what}`);
    await delay(50);
  }
}

test('only certified names resolve for members, until they are withdrawn', async (t) => {
  const registrar = await start(t);
  const owner = await member(t, registrar);
  const visitor = await member(t, registrar);
  const outsider = await start(t, { bootstrap: [registrar.node.ready.listen] });
  const zone = registrar.services.keys().authorPublicKey;
  const { authorPublicKey } = owner.services.keys();

  await outsider.services.publish({ path: site(t, 'open'), name: 'shop' });
  const open = await visitor.services.resolve('shop');
  assert.deepEqual([open.state, open.registrarsOnly], ['not-found', true]);
  const asked = await checkName(visitor.services, 'shop', {});
  assert.deepEqual([asked.available, asked.error?.includes('certificate')], [false, true]);
  const uncertified = owner.services.publish({ path: site(t, 'shop'), name: 'shop' });
  await assert.rejects(uncertified, { code: 'BAD_ARGUMENT', message: /certify it for .*\.alt/ });
  assert.deepEqual(await owner.services.sites({ own: true }), [], 'nothing was read for it');

  const issued = await registrar.services.certify({ name: 'shop', owner: authorPublicKey });
  const { certificate } = issued;
  assert.deepEqual([issued.state, issued.zone, issued.owner], ['valid', zone, authorPublicKey]);
  const given = { path: site(t, 'shop'), name: 'shop', certificate };
  await assert.rejects(visitor.services.publish(given), { code: 'CERTIFICATE_BAD' });
  assert.deepEqual(await visitor.services.sites({ own: true }), [], 'nothing was read for it');
  const published = await owner.services.publish(given);
  const seen = await visitor.services.resolve('shop', { fresh: true });
  assert.deepEqual([seen.state, seen.root, seen.zone], ['ok', published.root, zone]);
  const [own] = await owner.services.names();
  assert.deepEqual([own?.zone, own?.certified_until], [zone, issued.not_after]);

  const renewed = await registrar.services.certify({
    name: 'shop',
    owner: authorPublicKey,
    days: 10,
  });
  assert.ok(renewed.serial > issued.serial);
  const accepted = await owner.services.accept({ certificate: renewed.certificate });
  assert.deepEqual([accepted.version, accepted.not_after], [2, renewed.not_after]);
  assert.equal((await owner.services.names())[0]?.certificate_ending, true);
  assert.equal((await owner.services.stats()).certificatesEnding, 1);

  await eventually('the registrar knows others', async () => {
    return (await registrar.services.stats()).table > 0;
  });
  const withdrawn = await registrar.services.withdraw({ name: 'shop' });
  assert.ok(withdrawn.stored >= 2);
  const gone = await visitor.services.resolve('shop', { fresh: true });
  assert.deepEqual([gone.state, gone.registrarsOnly], ['not-found', true]);
  const again = owner.services.update({ name: 'shop', root: published.root });
  await assert.rejects(again, { code: 'CERTIFICATE_BAD' });
  assert.equal((await visitor.services.resolve('shop', { fresh: true })).state, 'not-found');
  const [listed] = await registrar.services.certificates();
  assert.equal(listed?.state, 'withdrawn');
  assert.equal((await outsider.services.resolve('shop')).zone, undefined, 'theirs is another');
});

test('a list of registrars counts from when it is written, and names of the registrar with it', async (t) => {
  const registrar = await start(t);
  const { authorPublicKey: zone } = registrar.services.keys();
  const { root } = await registrar.services.publish({ path: site(t, 'one') });
  await registrar.services.register({ name: 'news', root });
  const visitor = await start(t, { bootstrap: [registrar.node.ready.listen] });
  assert.equal((await visitor.services.resolve('news')).root, root);

  for (const { options } of [registrar, visitor]) writeFileSync(listOf(options.data), `${zone}\n`);
  const state = async (): Promise<string> => (await visitor.services.resolve('news')).state;
  await eventually('the open name is forgotten', async () => (await state()) === 'not-found');
  await eventually('the registrar takes names of its own', async () => {
    const { needsCertificate } = await registrar.services.resolve('weather');
    return needsCertificate === undefined;
  });
  await registrar.services.register({ name: 'weather', root });
  const seen = await visitor.services.resolve('weather', { fresh: true });
  assert.deepEqual([seen.root, seen.owner, seen.zone], [root, zone, zone]);
  const own = await Promise.all(
    ['news', 'weather'].map((name) => registrar.services.update({ name, root })),
  );
  assert.deepEqual(
    own.map(({ elsewhere }) => elsewhere),
    [true, undefined],
    'the open name does not resolve at its own node any more',
  );

  rmSync(listOf(visitor.options.data));
  await eventually('the open name is back', async () => (await state()) !== 'not-found');
});
