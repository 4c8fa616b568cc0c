/**
 * The server processes of bench/gateway.ts: `bare` answers every request with a buffer of 10 KB,
 * `gateway` serves a file of the same bytes from a named site, `secure` does so with the key and
 * certificate in a PEM file, `counted` while visits are counted and its metrics are read once a
 * second. It prints its port, and `scrape` what a reading
 * of the metrics takes instead; then it runs until its stdin ends.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createSecureContext } from 'node:tls';
import { systemWorld } from '../src/base/clock.ts';
import { silentLogger } from '../src/base/logger.ts';
import { Gateway, type GatewayDeps } from '../src/gateway/gateway.ts';
import { pageBytes } from './gateway-page.ts';
import { Metrics } from '../src/metrics/metrics.ts';
import { SiteStats } from '../src/stats/site-stats.ts';
import { MemoryNotes } from '../test/support/memory-notes.ts';
import { sampleSnapshot } from '../test/support/metrics-samples.ts';
import { MemoryNames, MemorySites } from '../test/support/memory-sites.ts';

async function startBare(): Promise<number> {
  const server = createServer((_request, response) => {
    const headers = {
      'content-type': 'text/html; charset=utf-8',
      'content-length': pageBytes.length,
    };
    response.writeHead(200, headers);
    response.end(pageBytes);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Where the site lies does not matter: small files are in memory after the first request. */
async function startGateway(onServed?: GatewayDeps['onServed']): Promise<Gateway> {
  const names = new MemoryNames();
  const sites = new MemorySites();
  names.set('bench', { state: 'ok', root: sites.add({ 'index.html': pageBytes }) });
  const deps = { names, sites, log: silentLogger, world: systemWorld, onServed };
  const gateway = new Gateway(deps, { host: '127.0.0.1', port: 0 });
  await gateway.start();
  return gateway;
}

async function startSecure(pemFile = ''): Promise<number> {
  const pem = readFileSync(pemFile);
  const context = createSecureContext({ key: pem, cert: pem });
  const gateway = await startGateway();
  const pair = { key: pem.toString(), cert: pem.toString() };
  const certificates = { contextFor: () => context, pairFor: () => pair };
  await gateway.startSecure({ host: '127.0.0.1', port: 0 }, certificates);
  return gateway.secureAddress().port;
}

async function startCounted(): Promise<Gateway> {
  const folder = await mkdtemp(path.join(tmpdir(), 'altnet-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true }));
  const saltFile = path.join(folder, 'visitor-salt');
  const deps = { notes: new MemoryNotes(), saltFile, world: systemWorld, log: silentLogger };
  const stats = new SiteStats(deps);
  await stats.start();
  const gateway = await startGateway((served) => stats.served(served));
  const metrics = startMetrics(gateway);
  setInterval(() => void metrics.text('prometheus'), 1000);
  return gateway;
}

function startMetrics(gateway: Gateway): Metrics {
  const metrics = new Metrics(systemWorld);
  metrics.start();
  const traffic = { receivedBytes: 0, sentBytes: 0 };
  const take = (): typeof sampleSnapshot => ({ ...sampleSnapshot, gateway: gateway.counts() });
  metrics.follow({ take, traffic: () => traffic });
  return metrics;
}

const scrapes = 300;

/** Milliseconds of one reading of all metrics as text, and as JSON. */
async function scrapeTimes(): Promise<{ text: number; json: number }> {
  const metrics = startMetrics(await startGateway());
  const json = await timed(async () => JSON.stringify(metrics.document()));
  return { text: await timed(() => metrics.text('prometheus')), json };
}

async function timed(read: () => Promise<unknown>): Promise<number> {
  for (let i = 0; i < scrapes; i++) await read(); // until the code is warm
  const began = performance.now();
  for (let i = 0; i < scrapes; i++) await read();
  return (performance.now() - began) / scrapes;
}

async function answer(mode = 'gateway'): Promise<string | number> {
  switch (mode) {
    case 'bare':
      return startBare();
    case 'secure':
      return startSecure(process.argv[3]);
    case 'counted':
      return (await startCounted()).address().port;
    case 'scrape':
      return JSON.stringify(await scrapeTimes());
    default:
      return (await startGateway()).address().port;
  }
}

console.log(await answer(process.argv[2]));
process.stdin.on('end', () => process.exit()).resume();
