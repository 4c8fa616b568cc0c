/**
 * The server processes of bench/gateway.ts: `bare` answers every request with a buffer of 10 KB,
 * `gateway` serves a file of the same bytes from a named site. It prints its port and then runs
 * until its stdin ends.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { systemWorld } from '../src/base/clock.ts';
import { silentLogger } from '../src/base/logger.ts';
import { Gateway } from '../src/gateway/gateway.ts';
import { MemoryNames, MemorySites } from '../test/support/memory-sites.ts';

const body: Buffer = Buffer.alloc(10 * 1024, 'The quick brown fox jumps over the lazy dog. ');

async function startBare(): Promise<number> {
  const server = createServer((_request, response) => {
    const headers = { 'content-type': 'text/html; charset=utf-8', 'content-length': body.length };
    response.writeHead(200, headers);
    response.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Where the site lies does not matter: small files are in memory after the first request. */
async function startGateway(): Promise<number> {
  const names = new MemoryNames();
  const sites = new MemorySites();
  names.set('bench', { state: 'ok', root: sites.add({ 'index.html': body }) });
  const deps = { names, sites, log: silentLogger, world: systemWorld };
  const gateway = new Gateway(deps, { host: '127.0.0.1', port: 0 });
  await gateway.start();
  return gateway.address().port;
}

console.log(process.argv[2] === 'bare' ? await startBare() : await startGateway());
process.stdin.on('end', () => process.exit()).resume();
