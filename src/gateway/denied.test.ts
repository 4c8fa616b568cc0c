import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runGateway, stalled, tree, until } from '../../test/support/gateway.ts';
import { SwitchedDenials } from '../../test/support/switched-denials.ts';
import { AltNetError } from '../base/errors.ts';

const root = 'bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi';

test('what is denied has a page that says by whom', async (t) => {
  const { names, sites, ask } = await runGateway(t);
  const states = [
    ['revoked', 410],
    ['blocked', 451],
  ] as const;
  for (const [state, status] of states) {
    names.set('alice', { state });
    const reply = await ask('alice.localhost', '/');
    assert.equal(reply.status, status);
    assert.match(reply.text, /alice\.alt/);
    assert.equal(reply.headers['cache-control'], 'no-store');
  }
  const errors = [
    [new AltNetError('CONTENT_REVOKED', { root }), 410],
    [new AltNetError('CONTENT_BLOCKED', { root, path: 'a.html' }), 451],
  ] as const;
  for (const [error, status] of errors) {
    sites.openFailure = error;
    const reply = await ask(`${root}.localhost`, '/a.html');
    assert.equal(reply.status, status);
    assert.match(reply.text, new RegExp(root));
  }
});

test('what was in memory is asked for anew once lists have changed', async (t) => {
  const denials = new SwitchedDenials();
  const { names, sites, ask } = await runGateway(t, { denials, nameFreshMs: 3_600_000 });
  const cid = sites.add(tree);
  names.set('alice', { state: 'ok', root: cid });
  await ask('alice.localhost', '/');
  const opened = sites.opened.length;
  await ask('alice.localhost', '/');
  assert.equal(sites.opened.length, opened, 'it is in memory');
  names.set('alice', { state: 'blocked' });
  denials.denyName('alice');
  assert.equal((await ask('alice.localhost', '/')).status, 451);
  sites.openFailure = new AltNetError('CONTENT_BLOCKED', { root: cid.toString() });
  denials.denyBlock(cid.multihash.digest);
  assert.equal((await ask(`${cid.toString()}.localhost`, '/')).status, 451);
});

const large = new Uint8Array(64 * 1024 * 1024);

test('what is being sent ends when it comes to be denied, and nothing else', async (t) => {
  const denials = new SwitchedDenials();
  const { names, sites, port } = await runGateway(t, { denials });
  const denied = sites.add({ 'large.bin': large });
  const allowed = sites.add({ 'large.bin': large, other: '' });
  names.set('alice', { state: 'ok', root: allowed });
  const path = '/large.bin';
  const hosts = [denied, allowed].map((cid) => `${cid.toString()}.localhost`);
  const [first, second] = await Promise.all(hosts.map((host) => stalled(t, port, { host, path })));
  const named = await stalled(t, port, { host: 'alice.localhost', path });
  await until(() => sites.reading === 3);
  denials.denyPath(denied.multihash.digest, 'large.bin');
  await until(() => sites.reading === 2);
  names.set('alice', { state: 'revoked' });
  denials.denyName('alice', 'revoked');
  await until(() => sites.reading === 1);
  assert.ok(first && second && named);
});

test('what stands at another path than was asked for ends as well', async (t) => {
  const denials = new SwitchedDenials();
  const { sites, port, ask } = await runGateway(t, { denials });
  const cid = sites.add({ 'docs/index.html': large, 'small/index.html': 'x' });
  const host = `${cid.toString()}.localhost`;
  assert.ok(await stalled(t, port, { host, path: '/docs/' }));
  await until(() => sites.reading === 1);
  denials.denyPath(cid.multihash.digest, 'docs/index.html');
  await until(() => sites.reading === 0);
  // It was found before it came to be denied, and the rest of the answer after that.
  sites.onOpened = (path) => denials.denyPath(cid.multihash.digest, path);
  for (let i = 0; i < 2; i++) assert.equal((await ask(host, '/small/')).status, 451);
});

test('nothing is followed once the gateway has stopped', async (t) => {
  const denials = new SwitchedDenials();
  const { gateway, names, sites, ask } = await runGateway(t, { denials });
  names.set('alice', { state: 'ok', root: sites.add(tree) });
  await ask('alice.localhost', '/');
  await gateway.stop();
  const asked = names.asked.length;
  denials.denyName('alice');
  assert.equal(names.asked.length, asked);
});
