/** The endpoint on a real socket. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { atEnd } from '../../test/support/cleanup.ts';
import { sampleSnapshot } from '../../test/support/metrics-samples.ts';
import { parsePrometheusText } from '../../test/support/prometheus-text.ts';
import { systemWorld } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { Metrics } from './metrics.ts';
import { MetricsServer } from './server.ts';

interface Running {
  readonly metrics: Metrics;
  readonly server: MetricsServer;
  readonly base: string;
}

async function run(t: TestContext): Promise<Running> {
  const metrics = new Metrics(systemWorld);
  const options = { host: '127.0.0.1', port: 0 };
  const server = new MetricsServer({ metrics, log: silentLogger }, options);
  await server.start();
  metrics.start();
  atEnd(t, async () => {
    metrics.stop();
    await server.stop();
  });
  return { metrics, server, base: `http://127.0.0.1:${server.address().port}` };
}

const source = {
  take: () => sampleSnapshot,
  traffic: () => sampleSnapshot.peers.traffic['sync'] ?? assert.fail(),
};

async function statuses(base: string): Promise<[string, number][]> {
  const paths = ['/healthz', '/livez', '/metrics'];
  const replies = await Promise.all(paths.map((path) => fetch(base + path)));
  return Promise.all(replies.map(async (reply) => [await reply.text(), reply.status]));
}

test('alive from the start, ready when the node says so, and not while it stops', async (t) => {
  const { metrics, base } = await run(t);
  assert.deepEqual(await statuses(base), [
    ['starting', 503],
    ['ok', 200],
    ['{"error":"the node is starting"}\n', 503],
  ]);
  metrics.follow(source);
  metrics.health = 'ready';
  const [health, live, told] = await statuses(base);
  assert.deepEqual([health, live, told?.[1]], [['ok', 200], ['ok', 200], 200]);
  metrics.health = 'stopping';
  assert.deepEqual(await statuses(base), [
    ['stopping', 503],
    ['ok', 200],
    ['{"error":"the node is stopping"}\n', 503],
  ]);
});

test('Prometheus gets text, all others JSON with the fields that clients know', async (t) => {
  const { metrics, base } = await run(t);
  metrics.follow(source);
  const plain = await fetch(`${base}/metrics`, { headers: { accept: 'text/plain' } });
  assert.equal(plain.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  const names = new Set(parsePrometheusText(await plain.text()).map(({ name }) => name));
  assert.ok(names.has('altnet_event_loop_lag_seconds') && names.has('altnet_store_blocks'));
  const json = await fetch(`${base}/metrics`);
  assert.equal(json.headers.get('content-type'), 'application/json; charset=utf-8');
  assert.equal(json.headers.get('cache-control'), 'no-store');
  assert.equal(json.headers.get('access-control-allow-origin'), null);
  const document = (await json.json()) as Record<string, unknown>;
  const { peer_id, short_id, listen_address, advertised_addresses, is_public } = document;
  assert.deepEqual(
    [peer_id, short_id, listen_address, advertised_addresses, is_public],
    [
      sampleSnapshot.nodeId,
      sampleSnapshot.shortId,
      '127.0.0.1:9000',
      ['/ip4/127.0.0.1/tcp/9000'],
      true,
    ],
  );
  const numbers = {
    relay_registrations: 3,
    connected_peers: 4,
    unique_conns: 5,
    routing_table_size: 20,
    store_entries: 10,
    store_bytes: 11,
    store_budget: 12,
    uptime_sec: 12,
    num_goroutine: 0,
  };
  for (const [name, value] of Object.entries(numbers)) assert.equal(document[name], value, name);
});

test('pages of other sites are refused as their browser tells of them', async (t) => {
  const { base } = await run(t);
  const asked = async (site: string): Promise<number> => {
    const { status } = await fetch(`${base}/livez`, { headers: { 'sec-fetch-site': site } });
    return status;
  };
  assert.deepEqual([await asked('cross-site'), await asked('same-site')], [403, 403]);
  assert.deepEqual([await asked('same-origin'), await asked('none')], [200, 200]);
});

test('foreign hosts, other methods and paths are refused, HEAD is not', async (t) => {
  const { metrics, base, server } = await run(t);
  metrics.health = 'ready';
  const { port } = server.address();
  const status = async (text: string): Promise<string> => {
    const socket = connect(port, '127.0.0.1');
    socket.write(`${text}\r\nConnection: close\r\n\r\n`);
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return chunk.toString('latin1').split('\r\n', 1)[0] ?? '';
  };
  const get = 'GET /healthz HTTP/1.1\r\nHost: ';
  assert.match(await status(`${get}evil.example`), / 421 /);
  assert.match(await status(`${get}evil.example:${port}`), / 421 /);
  assert.match(await status(`${get}localhost:${port}`), / 200 /);
  assert.match(await status(`${get}[::1]:${port}`), / 200 /);
  assert.equal((await fetch(`${base}/metrics/x`)).status, 404);
  assert.equal((await fetch(`${base}/healthz?x=1`)).status, 200);
  const posted = await fetch(`${base}/metrics`, { method: 'POST', body: 'x' });
  assert.deepEqual([posted.status, posted.headers.get('allow')], [405, 'GET, HEAD']);
  const head = await fetch(`${base}/healthz`, { method: 'HEAD' });
  assert.deepEqual([head.status, await head.text()], [200, '']);
});

test('a source that fails is one bad answer, not the end', async (t) => {
  const { metrics, base } = await run(t);
  let fails = false;
  const take = (): typeof sampleSnapshot => {
    if (fails) throw new Error('broken');
    return sampleSnapshot;
  };
  metrics.follow({ ...source, take });
  fails = true;
  assert.equal((await fetch(`${base}/metrics`)).status, 500);
  fails = false;
  assert.equal((await fetch(`${base}/metrics`)).status, 200);
});

test('a taken port rejects start; stop can be called at any time, twice', async (t) => {
  const { server } = await run(t);
  const { port } = server.address();
  const deps = { metrics: new Metrics(systemWorld), log: silentLogger };
  const taken = new MetricsServer(deps, { host: '127.0.0.1', port });
  await assert.rejects(taken.start(), { code: 'PORT_TAKEN' });
  await taken.stop();
  const foreign = new MetricsServer(deps, { host: '192.0.2.1', port: 0 });
  await assert.rejects(foreign.start(), { code: 'BIND_FAILED' });
  assert.throws(() => foreign.address(), { code: 'INTERNAL' });
  await server.stop();
  await server.stop();
});
