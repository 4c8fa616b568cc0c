/** The gateway's sockets: back-pressure, limits, start and stop. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { raw, runGateway, stalled, tree, until } from '../../test/support/gateway.ts';
import { manualWorld } from '../../test/support/manual-world.ts';
import { systemWorld } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { Gateway } from './gateway.ts';

const huge = new Uint8Array(64 * 1024 * 1024);

test('a client who does not read holds the source back, and ends it by leaving', async (t) => {
  const { sites, port } = await runGateway(t);
  const root = sites.add({ 'huge.bin': huge }).toString();
  const socket = await stalled(t, port, { host: `${root}.localhost`, path: '/huge.bin' });
  await until(() => sites.reading === 1 && sites.bytesRead > 0);
  let before = -1;
  while (before !== sites.bytesRead) {
    before = sites.bytesRead;
    for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(sites.bytesRead < huge.length / 2, `${sites.bytesRead} bytes were read ahead`);
  socket.destroy();
  await until(() => sites.reading === 0);
  assert.ok(sites.bytesRead < huge.length);
});

test('a client who leaves early ends the search', async (t) => {
  const { sites, port, names } = await runGateway(t, { requestsMax: 1 });
  const root = sites.add(tree).toString();
  names.set('alice', { state: 'ok', root: sites.add(tree) });
  sites.silent = true;
  const socket = await stalled(t, port, { host: `${root}.localhost`, path: '/' });
  await until(() => sites.opened.length === 1);
  socket.destroy();
  sites.silent = false;
  const text = (): Promise<string> =>
    raw(port, 'GET / HTTP/1.1\r\nHost: alice.alt\r\nConnection: close\r\n\r\n');
  while (!(await text()).startsWith('HTTP/1.1 200')); // its place becomes free
});

test('too many requests at once are refused, with when to come again', async (t) => {
  const limits = { requestsMax: 3, requestsPerClientMax: 2 };
  for (const [limitsLoopback, status, text] of [
    [true, 429, /Too much from you at once/],
    [false, 503, /Too much at once/],
  ] as const) {
    const { sites, names, port, ask } = await runGateway(t, { ...limits, limitsLoopback });
    names.set('alice', { state: 'ok', root: sites.add(tree) });
    await ask('alice.alt', '/');
    sites.silent = true;
    const paths = limitsLoopback ? ['/1', '/2'] : ['/1', '/2', '/3'];
    for (const path of paths) await stalled(t, port, { host: 'alice.alt', path });
    await until(() => sites.opened.length === 1 + paths.length);
    const refused = await ask('alice.alt', '/4');
    assert.equal(refused.status, status);
    assert.equal(refused.headers['retry-after'], '5');
    assert.match(refused.text, text);
    assert.equal((await ask('alice.alt', '/')).status, 200, 'what is in memory costs nothing');
  }
});

test('a connection on which nothing moves is closed', async (t) => {
  const { sites, port } = await runGateway(t, { idleTimeoutMs: 100 });
  const root = sites.add({ 'huge.bin': huge }).toString();
  await stalled(t, port, { host: `${root}.localhost`, path: '/huge.bin' });
  await until(() => sites.reading === 1);
  await until(() => sites.reading === 0);
});

test('a client that takes hardly anything loses its place', async (t) => {
  const world = manualWorld();
  const { sites, port } = await runGateway(t, { world, readerTimeoutMs: 1000, requestsMax: 1 });
  const host = `${sites.add({ 'huge.bin': huge, 'index.html': 'x' }).toString()}.localhost`;
  sites.pieceBytes = 1024 * 1024;
  const socket = await stalled(t, port, { host, path: '/huge.bin' });
  const settled = async (): Promise<number> => {
    let before = -1;
    while (before !== sites.bytesRead) {
      before = sites.bytesRead;
      for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve));
    }
    return before;
  };
  await until(() => sites.bytesRead > 0);
  await settled();
  world.advance(1000);
  await settled();
  assert.equal(sites.reading, 1, 'what waits may take as long as it takes at 4 KiB/s');
  world.advance(huge.length / 4);
  await until(() => sites.reading === 0);
  socket.resume();
  if (!socket.closed) await once(socket, 'close');
});

test('localhost may mean IPv6, too', async (t) => {
  const { port } = await runGateway(t);
  const probe = createServer();
  const hasIpv6 = await new Promise((resolve) => {
    probe.once('error', () => resolve(false)).listen(0, '::1', () => resolve(true));
  });
  probe.close();
  if (!hasIpv6) return t.skip('this machine has no IPv6');
  const answer = await fetch(`http://[::1]:${port}/`);
  assert.equal(answer.status, 200);
});

test('an address that cannot be had rejects start', async (t) => {
  const { port, sites, names } = await runGateway(t);
  const deps = { names, sites, log: silentLogger, world: systemWorld };
  const taken = new Gateway(deps, { host: '127.0.0.1', port });
  await assert.rejects(taken.start(), { code: 'PORT_TAKEN' });
  await taken.stop();
  const foreign = new Gateway(deps, { host: '192.0.2.1', port: 0 });
  await assert.rejects(foreign.start(), { code: 'BIND_FAILED' });
  assert.throws(() => foreign.address(), { code: 'INTERNAL' });
});

test('stop waits for an answer that goes on', async (t) => {
  const { sites, gateway, port } = await runGateway(t, { stopGraceMs: 60_000 });
  const root = sites.add({ 'huge.bin': huge }).toString();
  const reading = await stalled(t, port, { host: `${root}.localhost`, path: '/huge.bin' });
  await until(() => sites.reading === 1);
  const stopped = gateway.stop();
  let bytes = 0;
  reading.on('data', (chunk: Buffer) => (bytes += chunk.length)).resume();
  await once(reading, 'end');
  assert.ok(bytes > huge.length);
  await stopped;
  await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
});

test('stop cuts what goes on for too long, and can be called again', async (t) => {
  const { sites, gateway, port } = await runGateway(t, { stopGraceMs: 20 });
  const root = sites.add({ 'huge.bin': huge }).toString();
  const stuck = await stalled(t, port, { host: `${root}.localhost`, path: '/huge.bin' });
  await until(() => sites.reading === 1);
  const stopping = gateway.stop();
  assert.equal(gateway.stop(), stopping);
  await stopping;
  await until(() => sites.reading === 0);
  stuck.resume();
  if (!stuck.closed) await once(stuck, 'close');
});
