/** Metrics and health of real nodes. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { atEnd } from '../../test/support/cleanup.ts';
import { nodeOptions } from '../../test/support/node-options.ts';
import { parsePrometheusText, type TextFamily } from '../../test/support/prometheus-text.ts';
import { startNode } from './node.ts';

async function freePort(t: TestContext, host = '127.0.0.1'): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const bound = server.address();
  atEnd(t, () => server.close());
  return typeof bound === 'object' && bound ? bound.port : assert.fail();
}

async function told(address: string | null): Promise<TextFamily[]> {
  const reply = await fetch(`http://${address}/metrics`, { headers: { accept: 'text/plain' } });
  assert.equal(reply.status, 200);
  return parsePrometheusText(await reply.text());
}

function sumOf(families: TextFamily[], name: string, labels: Record<string, string> = {}): number {
  const family = families.find((one) => one.name === name);
  assert.ok(family, name);
  const wanted = Object.entries(labels);
  return family.samples
    .filter((sample) => wanted.every(([label, value]) => sample.labels[label] === value))
    .reduce((sum, { value }) => sum + value, 0);
}

test('two nodes count what they do with each other', async (t) => {
  const metrics = '127.0.0.1:0';
  const first = await startNode(nodeOptions(t, { metrics, gateway: '127.0.0.1:0', public: true }));
  atEnd(t, () => first.stop());
  const bootstrap = [first.ready.listen];
  const second = await startNode(nodeOptions(t, { metrics, bootstrap, public: true }));
  atEnd(t, () => second.stop());
  const { key } = await second.services.putValue(new TextEncoder().encode('hello'));
  await first.services.getValue(key);
  await fetch(`http://${first.ready.gateway}/`);
  let families = await told(first.ready.metrics);
  // It asks whoever asked it whether they are there, and lists them then.
  while (sumOf(families, 'altnet_dht_contacts') === 0) {
    await delay(10);
    families = await told(first.ready.metrics);
  }
  const of = (name: string, labels?: Record<string, string>): number =>
    sumOf(families, `altnet_${name}`, labels);
  assert.equal(of('dht_contacts'), 1);
  assert.ok(of('dht_requests_received_total', { method: 'find' }) > 0);
  assert.ok(of('packets_total', { kind: 'resp' }) > 0);
  assert.ok(of('stream_bytes_total', { protocol: 'sync', direction: 'received' }) > 0);
  assert.ok(of('peer_connections') > 0 && of('store_blocks') > 0);
  assert.ok(of('dht_records', { kind: 'provider' }) > 0);
  assert.equal(of('gateway_responses_total', { code: '200' }), 1);
  const asked = await told(second.ready.metrics);
  assert.ok(sumOf(asked, 'altnet_dht_requests_sent_total', { result: 'answered' }) > 0);
  const json = await fetch(`http://${first.ready.metrics}/metrics`);
  const document = (await json.json()) as Record<string, unknown>;
  assert.deepEqual(
    [document['peer_id'], document['routing_table_size'], document['is_public']],
    [first.services.keys().node, 1, true],
  );
});

test('health tells alive from ready while a node looks for its network', async (t) => {
  const silent = createSocket('udp4').bind(0, '127.0.0.1');
  await once(silent, 'listening');
  atEnd(t, () => silent.close());
  const port = await reserve();
  const stop = new AbortController();
  const options = nodeOptions(t, {
    metrics: `127.0.0.1:${port}`,
    metricsExplicit: true,
    bootstrap: [`127.0.0.1:${silent.address().port}`],
  });
  const starting = startNode(options, { signal: stop.signal });
  const settled = starting.then(
    () => 'ready',
    () => 'given up',
  );
  const health = await firstAnswer(`http://127.0.0.1:${port}/healthz`);
  assert.deepEqual(health, [503, 'starting']);
  assert.deepEqual(await firstAnswer(`http://127.0.0.1:${port}/livez`), [200, 'ok']);
  stop.abort();
  if ((await settled) === 'ready') await (await starting).stop();
  await assert.rejects(fetch(`http://127.0.0.1:${port}/livez`), 'nothing is left of it');
});

/** A port that was free a moment ago. */
async function reserve(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  server.close();
  await once(server, 'close');
  return typeof bound === 'object' && bound ? bound.port : assert.fail();
}

async function firstAnswer(url: string): Promise<[status: number, text: string]> {
  for (;;) {
    try {
      const reply = await fetch(url);
      return [reply.status, await reply.text()];
    } catch {
      await delay(1);
    }
  }
}

test('a default port that is taken moves, one that was chosen is an error', async (t) => {
  const port = await freePort(t);
  const metrics = `127.0.0.1:${port}`;
  const moved = await startNode(nodeOptions(t, { metrics }));
  atEnd(t, () => moved.stop());
  assert.ok(moved.ready.metrics !== metrics && moved.ready.metrics?.startsWith('127.0.0.1:'));
  assert.ok(moved.ready.notes.some((note) => note.startsWith(`port ${port} is taken; using `)));
  const chosen = startNode(nodeOptions(t, { metrics, metricsExplicit: true }));
  await assert.rejects(chosen, { code: 'PORT_TAKEN' });
  const off = await startNode(nodeOptions(t));
  atEnd(t, () => off.stop());
  assert.equal(off.ready.metrics, null);
});
