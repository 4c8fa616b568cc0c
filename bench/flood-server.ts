/**
 * The flooded process of bench/flood.ts: the real transport with a handler that answers PING and
 * FIND at once, and beside it, on the same thread, an HTTP server that stands for gateway and API.
 * It prints its two ports, then, at every line on stdin, what the time since the line before cost.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { UdpTransport } from '../src/rpc/transport.ts';
import { sealedTransport } from './sealed.ts';

export interface FloodFigures {
  readonly wallMs: number;
  readonly cpuMs: number;
  /** How much later than asked for a timer of this thread fires. */
  readonly lagP50Ms: number;
  readonly lagP99Ms: number;
  readonly counters: Readonly<Record<string, number>>;
}

const probeMs = 2;
const page: Buffer = Buffer.alloc(10 * 1024, 'The quick brown fox jumps over the lazy dog. ');

async function startTransport(): Promise<UdpTransport> {
  const transport = sealedTransport('server');
  transport.serve((_, request) => {
    if (request.method === 'ping') return { method: 'ping', contactRecord: undefined };
    return request.method === 'find' ? { method: 'find', contacts: [] } : undefined;
  });
  await transport.start();
  return transport;
}

async function startPages(): Promise<number> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-length': page.length });
    response.end(page);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const transport = await startTransport();
console.log(transport.address()[0]?.port ?? 0);
console.log(await startPages());

const delays = monitorEventLoopDelay({ resolution: probeMs });
delays.enable();
let began = { wallMs: performance.now(), cpu: process.cpuUsage(), counters: transport.counters() };

/** What the histogram says is the whole interval between two probes. */
const lagMs = (percentile: number): number =>
  Math.max(0, delays.percentile(percentile) / 1e6 - probeMs);

createInterface({ input: process.stdin }).on('line', () => {
  const wallMs = performance.now();
  const { user, system } = process.cpuUsage(began.cpu);
  const counters = transport.counters();
  const figures: FloodFigures = {
    wallMs: wallMs - began.wallMs,
    cpuMs: (user + system) / 1000,
    lagP50Ms: lagMs(50),
    lagP99Ms: lagMs(99),
    counters: Object.fromEntries(
      Object.entries(counters).map(([name, n]) => [name, n - (began.counters[name] ?? 0)]),
    ),
  };
  console.log(JSON.stringify(figures));
  delays.reset();
  began = { wallMs, cpu: process.cpuUsage(), counters };
});
process.stdin.on('end', () => process.exit());
