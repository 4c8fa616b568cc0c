import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { test, type TestContext } from 'node:test';
import { atEnd, temporaryFolder } from '../../test/support/cleanup.ts';
import { clientOf } from '../../test/support/gateway.ts';
import { nodeOptions } from '../../test/support/node-options.ts';
import { silentLogger } from '../base/logger.ts';
import { type RunningNode, startNode } from './node.ts';
import type { NodeOptions } from './options.ts';
import { readRunFile } from './runfile.ts';

async function start(t: TestContext, options: NodeOptions): Promise<RunningNode> {
  const node = await startNode(options, { log: silentLogger });
  atEnd(t, () => node.stop());
  return node;
}

/** A TCP port of 127.0.0.1 that is taken until the test ends. */
async function takenPort(t: TestContext): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, () => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

test('a start that fails at the gateway leaves port, folder and files free', async (t) => {
  const gateway = `127.0.0.1:${await takenPort(t)}`;
  const probe = createSocket('udp4').bind(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  const options = nodeOptions(t, { listen: `127.0.0.1:${port}`, registrar: '127.0.0.1:0' });
  const taken = { ...options, gateway, gatewayExplicit: true };
  await assert.rejects(startNode(taken, { log: silentLogger }), { code: 'PORT_TAKEN' });
  assert.ok(!existsSync(path.join(options.data, 'node.json')));
  const node = await start(t, options);
  assert.equal(node.ready.listen, `127.0.0.1:${port}`);
  await assert.rejects(startNode(options, { log: silentLogger }), { code: 'STORE_LOCKED' });
  assert.ok(await readRunFile(options.data), 'the failed one has not taken the file of the other');
});

test('a default port moves for both UDP and TCP, and the user is told', async (t) => {
  const port = await takenPort(t);
  const options = nodeOptions(t, { listen: `127.0.0.1:${port}`, listenExplicit: false });
  const { ready } = await start(t, options);
  const moved = Number(ready.listen.split(':')[1]);
  assert.ok(moved > port && moved <= port + 50);
  assert.deepEqual(ready.notes, [`port ${port} is taken; using ${moved} instead`]);
});

test('[::] is every address of IPv4 as well', async (t) => {
  const { ready } = await start(t, nodeOptions(t, { listen: '[::]:0' }));
  const port = ready.listen.split(':').at(-1);
  const options = nodeOptions(t, { bootstrap: [`127.0.0.1:${port}`] });
  const other = await start(t, options);
  assert.equal((await other.services.stats()).table, 1);
});

test('what a user got wrong is named before anything runs', async (t) => {
  const wrong = async (code: string, over: Partial<NodeOptions>): Promise<void> => {
    await assert.rejects(startNode(nodeOptions(t, over), { log: silentLogger }), { code });
  };
  await wrong('BAD_ADDRESS', { listen: 'example.org:9000' });
  await wrong('BAD_ADDRESS', { bootstrap: ['nonsense'] });
  await wrong('BAD_ADDRESS', { gateway: 'nonsense' });
  const file = path.join(temporaryFolder(t), 'file');
  writeFileSync(file, '');
  await wrong('PATH_UNSUPPORTED', { data: file });
});

test('a start can be given up at any moment', async (t) => {
  const reason = new Error('gave up');
  const options = nodeOptions(t, { bootstrap: ['127.0.0.1:1'], publishGuide: true });
  const early = AbortSignal.abort(reason);
  await assert.rejects(startNode(options, { signal: early, log: silentLogger }), reason);
  for (const message of ['bootstrap failed', 'ready']) {
    const controller = new AbortController();
    const abortAt = (said: string): void => {
      if (said === message) controller.abort(reason);
    };
    const log = { ...silentLogger, warn: abortAt, info: abortAt };
    const { signal } = controller;
    if (message === 'ready') await (await startNode(options, { signal, log })).stop();
    else await assert.rejects(startNode(options, { signal, log }), reason);
  }
});

test('the guide is published once and found again; a stale node.json is replaced', async (t) => {
  const options = nodeOptions(t, { publishGuide: true, gateway: '127.0.0.1:0' });
  writeFileSync(path.join(options.data, 'node.json'), '{"api":"http://127.0.0.1:1","pid":1}');
  const first = await start(t, options);
  const { gateway, gatewayTls, dns, metrics } = first.ready;
  const services = { gateway, gatewayTls, dns, metrics };
  const zone = { tld: 'alt', caDir: path.join(options.data, 'ca') };
  const runFile = { api: undefined, pid: process.pid, services, zone };
  assert.deepEqual(await readRunFile(options.data), runFile);
  assert.match(first.ready.guide ?? '', /^http:\/\/baf\w+\.localhost:\d+\/$/);
  const { blocks } = await first.services.stats();
  assert.ok(blocks > 0);
  await first.stop();
  await first.stop();
  await first.stopped;
  const second = await start(t, { ...options, gateway: first.ready.gateway ?? undefined });
  assert.equal(second.ready.guide, first.ready.guide);
  assert.equal((await second.services.stats()).blocks, blocks);
});

test('a guide that its user has unpublished stays away', async (t) => {
  const options = nodeOptions(t, { publishGuide: true, gateway: '127.0.0.1:0' });
  const first = await start(t, options);
  const [guide] = await first.services.sites({ own: true });
  const ask = clientOf(Number(first.ready.gateway?.split(':').at(-1)));
  const host = `${guide?.cid}.localhost`;
  for (let i = 0; i < 2; i++) assert.equal((await ask(host, '/')).status, 200);
  await first.services.unpublish({ what: guide?.cid ?? '' });
  assert.notEqual((await ask(host, '/')).status, 200, 'nor is it in memory');
  await first.stop();
  const second = await start(t, options);
  assert.equal(second.ready.guide, undefined);
  assert.deepEqual(await second.services.sites(), []);
});

test('a token and an address for everybody are left so that commands can use them', async (t) => {
  const registrarToken = 'a-token-of-the-user';
  const options = nodeOptions(t, { registrar: '0.0.0.0:0', registrarToken });
  const node = await start(t, options);
  const runFile = await readRunFile(options.data);
  assert.match(runFile?.api ?? '', /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.equal(runFile?.token, registrarToken);
  await node.stop();
  assert.equal(await readRunFile(options.data), undefined);
});

test('peers of one run are how the next finds its network', async (t) => {
  const server = await start(t, nodeOptions(t));
  const options = nodeOptions(t, { bootstrap: [server.ready.listen] });
  const first = await start(t, options);
  assert.equal((await first.services.stats()).table, 1);
  await first.stop();
  const second = await start(t, { ...options, bootstrap: [] });
  assert.equal((await second.services.peers())[0]?.id, server.ready.node);
});
