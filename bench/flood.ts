/**
 * What a flood of requests does to a node: round trips of an honest PING and of a page from the
 * same process, lag of its event loop, and CPU, without a flood and under three kinds of it. The
 * victim and the attacker are processes of their own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Contact } from '../src/identity/contact.ts';
import type { UdpTransport } from '../src/rpc/transport.ts';
import { serverAt, startAsker } from './sealed.ts';
import type { FloodFigures } from './flood-server.ts';
import { type BenchRow, row } from './row.ts';

const settleMs = 1500;
const runMs = 8000;
const betweenMs = 20;

interface Flood {
  readonly name: string;
  readonly mode: 'junk' | 'mac1' | 'sealed';
  readonly perSecond: number;
}

const floods: readonly Flood[] = [
  { name: '10,000 junk INIT/s', mode: 'junk', perSecond: 10_000 },
  { name: '10,000 INIT/s with a valid mac1', mode: 'mac1', perSecond: 10_000 },
  { name: '2,000 sealed RPC/s', mode: 'sealed', perSecond: 2000 },
];

interface Measured {
  readonly pingsMs: readonly number[];
  readonly lost: number;
  readonly pagesMs: readonly number[];
  readonly sentPerSecond: number;
  readonly server: FloodFigures;
}

export async function benchFlood(): Promise<BenchRow[]> {
  const server = await startChild('flood-server.ts', []);
  const udpPort = Number(await server.nextLine());
  const httpPort = Number(await server.nextLine());
  const asker = await startAsker();
  try {
    const measure = async (flood?: Flood): Promise<Measured> =>
      await measureUnder(flood, { server, asker, udpPort, httpPort });
    const calm = await measure();
    const rows: BenchRow[] = [];
    for (const flood of floods)
      rows.push(...rowsOf(flood, { calm, flooded: await measure(flood) }));
    return rows;
  } finally {
    await asker.stop();
    await server.stop();
  }
}

function rowsOf(
  { name, mode }: Flood,
  { calm, flooded }: { calm: Measured; flooded: Measured },
): BenchRow[] {
  const goals = mode === 'mac1' ? { ping: 1000, lag: 50 } : {};
  const inMs = (figure: string, of: (measured: Measured) => number, goal?: number): BenchRow =>
    row({
      name: `${name}: ${figure}`,
      value: of(flooded),
      unit: 'ms',
      limit: { name: 'without', value: of(calm) },
      ...(goal === undefined ? {} : { goal, lowerIsBetter: true }),
    });
  const { server, sentPerSecond } = flooded;
  process.stderr.write(
    `bench: ${name}: ${Math.round(sentPerSecond)}/s sent, ${flooded.lost} PINGs unanswered, ` +
      `${JSON.stringify(server.counters)}\n`,
  );
  return [
    inMs('honest PING p50', ({ pingsMs }) => percentile(pingsMs, 0.5)),
    inMs('honest PING p99', ({ pingsMs }) => percentile(pingsMs, 0.99), goals.ping),
    inMs('page p99', ({ pagesMs }) => percentile(pagesMs, 0.99)),
    inMs('event-loop lag p99', (measured) => measured.server.lagP99Ms, goals.lag),
    row({
      name: `${name}: CPU of the node`,
      value: coreShare(server),
      unit: 'cores',
      limit: { name: 'without', value: coreShare(calm.server) },
    }),
  ];
}

const coreShare = ({ cpuMs, wallMs }: FloodFigures): number => cpuMs / wallMs;

async function measureUnder(
  flood: Flood | undefined,
  {
    server,
    asker,
    udpPort,
    httpPort,
  }: { server: Child; asker: UdpTransport; udpPort: number; httpPort: number },
): Promise<Measured> {
  const source =
    flood &&
    (await startChild('flood-source.ts', [flood.mode, String(udpPort), String(flood.perSecond)]));
  try {
    await source?.nextLine();
    await delay(settleMs);
    const sentBefore = Number((await source?.ask()) ?? 0);
    await server.ask(); // the figures from here on
    const [pings, pagesMs] = await Promise.all([
      askPings(asker, serverAt(udpPort)),
      askPages(httpPort),
    ]);
    const figures = JSON.parse(await server.ask()) as FloodFigures;
    const sent = Number((await source?.ask()) ?? 0) - sentBefore;
    const sentPerSecond = (sent * 1000) / figures.wallMs;
    return { ...pings, pagesMs, sentPerSecond, server: figures };
  } finally {
    await source?.stop();
  }
}

/** One PING every `betweenMs`, whether or not those before were answered. */
async function askPings(
  asker: UdpTransport,
  contact: Contact,
): Promise<{ pingsMs: number[]; lost: number }> {
  const pingsMs: number[] = [];
  let lost = 0;
  const ping = async (): Promise<void> => {
    const begunMs = performance.now();
    try {
      await asker.call(contact, { method: 'ping' });
    } catch {
      lost += 1;
    }
    pingsMs.push(performance.now() - begunMs);
  };
  await everySoOften(ping);
  return { pingsMs, lost };
}

async function askPages(port: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true });
  const pagesMs: number[] = [];
  await everySoOften(async () => {
    const begunMs = performance.now();
    const [response] = await once(get({ port, host: '127.0.0.1', agent }), 'response');
    await once(response.resume(), 'end');
    pagesMs.push(performance.now() - begunMs);
  });
  agent.destroy();
  return pagesMs;
}

async function everySoOften(work: () => Promise<void>): Promise<void> {
  const under: Promise<void>[] = [];
  for (const endMs = performance.now() + runMs; performance.now() < endMs;) {
    under.push(work());
    await delay(betweenMs);
  }
  await Promise.all(under);
}

interface Child {
  nextLine(): Promise<string>;
  /** Writes a line and returns the one that comes back. */
  ask(): Promise<string>;
  stop(): Promise<void>;
}

async function startChild(file: string, args: readonly string[]): Promise<Child> {
  const flags = process.env['BENCH_SERVER_FLAGS']?.split(' ') ?? [];
  const script = path.join(import.meta.dirname, file);
  const child: ChildProcess = spawn(process.execPath, [...flags, script, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new Error('a child has no pipes');
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => {
    const { done, value } = await lines.next();
    if (done === true) throw new Error(`${file} ended`);
    return value;
  };
  return {
    nextLine,
    async ask() {
      stdin.write('\n');
      return await nextLine();
    },
    async stop() {
      if (child.exitCode !== null) return;
      const exited = once(child, 'exit');
      stdin.end();
      await exited;
    },
  };
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
