/**
 * Requests per second for a file of 10 KB, beside node:http answering with the same bytes from a
 * buffer: all of them alike, and no two of them; the same while visits are counted and metrics read;
 * and what reading them takes. Each
 * server and the load generator have a process of their own; the servers take turns under the same
 * load, and the best of its turns counts.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { type BenchRow, row } from './row.ts';

const turns = 7;
const turnMs = 1000;
const connections = 32;

const servers = ['bare', 'gateway', 'counted'] as const;

type Mode = (typeof servers)[number] | 'secure' | 'scrape';

export interface Server {
  readonly child: ChildProcess;
  /** The first line that it printed. */
  readonly line: string;
}

function script(name: string): string {
  return path.join(import.meta.dirname, name);
}

export async function startServer(mode: Mode, ...more: readonly string[]): Promise<Server> {
  const child = spawn(process.execPath, [script('gateway-server.ts'), mode, ...more], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    return { child, line };
  }
  throw new Error(`the ${mode} server ended before it listened`);
}

export async function stopServer({ child }: Server): Promise<void> {
  const exited = once(child, 'exit');
  child.stdin?.end();
  await exited;
}

/** Of one process that asks. */
export async function requestsPerSecond({
  port,
  isTls = false,
  isVaried = false,
}: {
  readonly port: number;
  readonly isTls?: boolean;
  /** No request says the same as one before. */
  readonly isVaried?: boolean;
}): Promise<number> {
  const words = [isTls ? 'tls' : [], isVaried ? 'varied' : []].flat();
  const args = [port, 'bench.localhost', connections, turnMs, ...words].map(String);
  const { stdout } = await promisify(execFile)(process.execPath, [script('http-load.ts'), ...args]);
  return Number(stdout);
}

async function scrapeRow(): Promise<BenchRow> {
  const server = await startServer('scrape');
  await stopServer(server);
  const { text, json } = JSON.parse(server.line) as { text: number; json: number };
  return row({
    name: 'reading all metrics as text',
    value: text,
    unit: 'ms',
    limit: { name: 'as JSON, fewer of them', value: json },
    goal: 5,
    lowerIsBetter: true,
  });
}

export async function benchGateway(): Promise<BenchRow[]> {
  const [bare, gateway, counted] = await Promise.all(servers.map((mode) => startServer(mode)));
  if (!bare || !gateway || !counted) throw new Error('a server is missing');
  try {
    const rates = { bare: 0, gateway: 0, varied: 0, counted: 0 };
    const best = async (name: keyof typeof rates, { line }: Server): Promise<void> => {
      const rate = await requestsPerSecond({ port: Number(line), isVaried: name === 'varied' });
      rates[name] = Math.max(rates[name], rate);
    };
    for (let turn = 0; turn < turns; turn++) {
      await best('bare', bare);
      await best('gateway', gateway);
      await best('varied', gateway);
      await best('counted', counted);
    }
    return [
      row({
        name: 'gateway, 10 KB file',
        value: rates.gateway,
        unit: 'requests/s',
        limit: { name: 'node:http with a buffer', value: rates.bare },
        goal: 0.5,
      }),
      row({
        name: 'the same, no request like another',
        value: rates.varied,
        unit: 'requests/s',
        limit: { name: 'node:http with a buffer', value: rates.bare },
        goal: 0.5,
      }),
      row({
        name: 'the same with statistics and metrics',
        value: rates.counted,
        unit: 'requests/s',
        limit: { name: 'without', value: rates.gateway },
        goal: 0.95,
      }),
      await scrapeRow(),
    ];
  } finally {
    await Promise.all([bare, gateway, counted].map(stopServer));
  }
}
