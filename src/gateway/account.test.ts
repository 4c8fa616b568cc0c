/** What is counted of answers, seen at a real gateway. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runGateway, stalled, tree, until } from '../../test/support/gateway.ts';

test('each answer of a site with a name is told once, with the bytes of its body', async (t) => {
  const { sites, names, served, ask } = await runGateway(t);
  names.set('alice', { state: 'ok', root: sites.add(tree) });
  const first = await ask('alice.alt', '/style.css');
  const etag = String(first.headers['etag']);
  await ask('alice.localhost', '/style.css', { method: 'HEAD' });
  await ask('alice.alt', '/style.css', { headers: { 'if-none-match': etag } });
  await ask('alice.alt', '/style.css', { headers: { range: 'bytes=0-3' } });
  const missing = await ask('alice.alt', '/nothing');
  assert.equal(missing.status, 404);
  await until(() => served.length === 5);
  const size = first.bytes.length;
  assert.deepEqual(
    served.map(({ name, bytes }) => [name, bytes]),
    [size, 0, 0, 4, missing.bytes.length].map((bytes) => ['alice', bytes]),
  );
  assert.ok(served.every(({ ip }) => ip === '127.0.0.1'));
});

test('below a name, visits are those of the name', async (t) => {
  const { sites, names, served, ask } = await runGateway(t);
  names.set('blog.alice', { state: 'ok', root: sites.add(tree) });
  await ask('blog.alice.alt', '/');
  await until(() => served.length === 1);
  assert.equal(served[0]?.name, 'alice');
});

test('bare roots, pages of the gateway and what could not be shown are no visits', async (t) => {
  const { sites, names, served, gateway, ask } = await runGateway(t);
  const root = sites.add(tree);
  names.set('alice', { state: 'ok', root });
  names.set('gone', { state: 'revoked', root });
  await ask(`${root.toString()}.localhost`, '/');
  await ask('localhost', '/');
  await ask('nobody.alt', '/');
  await ask('gone.alt', '/');
  await ask('alice.alt', '/', { method: 'POST' });
  sites.openFailure = new Error('broken');
  await ask('alice.alt', '/other');
  await until(() => Object.values(gateway.counts().answers).reduce((a, b) => a + b, 0) === 6);
  assert.deepEqual(served, []);
  assert.deepEqual(gateway.counts().answers, { 200: 2, 404: 1, 405: 1, 410: 1, 500: 1 });
});

test('answers are counted by status, with bytes, durations and connections', async (t) => {
  const { sites, names, served, gateway, port, ask } = await runGateway(t);
  names.set('alice', { state: 'ok', root: sites.add({ 'a.bin': new Uint8Array(200_000) }) });
  await ask('alice.alt', '/a.bin');
  await until(() => served.length === 1);
  const { answers, bytes, durations } = gateway.counts();
  assert.deepEqual([answers, bytes], [{ 200: 1 }, 200_000]);
  assert.equal(
    durations.counts.reduce((sum, count) => sum + count, 0),
    1,
  );
  sites.silent = true;
  const socket = await stalled(t, port, { host: 'alice.alt', path: '/b' });
  await until(() => sites.opened.length > 1 && gateway.counts().connections === 1);
  socket.destroy();
  await until(() => gateway.counts().answers['none'] === 1 && gateway.counts().connections === 0);
  assert.equal(served.length, 1);
});
