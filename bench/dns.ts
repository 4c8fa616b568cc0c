/**
 * DNS queries per second for names that are known here and for foreign names that are remembered,
 * beside dnsmasq answering the same: its own address for .alt, its cache for the rest. Both have the
 * same one core, dnsperf has another; they take turns under the same load, the best of each counts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { Ending } from '../test/support/cleanup.ts';
import { addressOf, replyTo, startFakeResolver } from '../test/support/fake-resolver.ts';
import { outputOf, programsMissing, startDnsmasq } from '../test/support/dns-programs.ts';
import { type BenchRow, NotRun, row } from './row.ts';

const turns = 5;
const turnSeconds = 2;
const namesAsked = 500;

interface Server {
  readonly port: number;
}

/** The core of servers, and that of the load: different ones, else they slow each other down. */
const [serverCore, loadCore] = ['0', '1'];

async function startService(t: Ending, upstream: number): Promise<Server> {
  const script = path.join(import.meta.dirname, 'dns-server.ts');
  const args = ['-c', serverCore, process.execPath, script, String(upstream)];
  const child = spawn('taskset', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => endService(child));
  for await (const line of createInterface({ input: child.stdout })) {
    return { port: Number(line) };
  }
  throw new Error('the DNS service ended before it listened');
}

async function endService(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.stdin?.end();
  await exited;
}

async function queriesPerSecond(
  { port }: Server,
  { file, isMeasured }: { readonly file: string; readonly isMeasured: boolean },
): Promise<number> {
  const options = ['-s', '127.0.0.1', '-p', String(port), '-d', file, '-c', '8', '-q', '200'];
  const args = ['-c', loadCore, 'dnsperf', ...options, '-l', String(turnSeconds)];
  const stdout = await outputOf('taskset', ...args);
  const rate = /Queries per second:\s+([\d.]+)/.exec(stdout)?.[1];
  if (rate === undefined) throw new Error(`dnsperf measured nothing:\n${stdout}`);
  if (isMeasured && !/NOERROR \d+ \(100\.00%\)/.test(stdout))
    throw new Error(`not all was right:\n${stdout}`);
  return Number(rate);
}

async function compare(
  name: string,
  [own, other]: readonly [Server, Server],
  file: string,
): Promise<BenchRow> {
  // Until both know all names, and our code is warm.
  for (const server of [other, own, own]) {
    await queriesPerSecond(server, { file, isMeasured: false });
  }
  const rates: { own: number[]; other: number[] } = { own: [], other: [] };
  for (let turn = 0; turn < turns; turn++) {
    rates.own.push(await queriesPerSecond(own, { file, isMeasured: true }));
    rates.other.push(await queriesPerSecond(other, { file, isMeasured: true }));
  }
  return row({
    name,
    value: Math.max(...rates.own),
    unit: 'queries/s',
    limit: { name: 'dnsmasq', value: Math.max(...rates.other) },
    goal: 0.5,
  });
}

export async function benchDns(): Promise<BenchRow[]> {
  const missing = programsMissing('dnsmasq', 'dnsperf', 'taskset');
  if (missing !== false) throw new NotRun(missing);
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'altnet-bench-'));
  stack.defer(() => rm(folder, { recursive: true }));
  const ending: Ending = { after: (undo) => stack.defer(undo) };
  const upstream = await startFakeResolver(ending, (query) =>
    replyTo(query, { answers: [addressOf(query.name, '192.0.2.1', 3600)] }),
  );
  const { port } = upstream.address;
  const options = [
    '--address=/alt/127.0.0.1',
    `--server=127.0.0.1#${port}`,
    '--cache-size=10000',
    '--dns-forward-max=1000',
  ];
  const servers = [
    await startService(ending, port),
    await startDnsmasq(ending, options, 'site.alt', ['taskset', '-c', serverCore]),
  ] as const;
  const rows: BenchRow[] = [];
  for (const [name, zone] of [
    ['DNS, names that are known', 'alt'],
    ['DNS, foreign names that are remembered', 'example.com'],
  ] as const) {
    const file = path.join(folder, zone);
    const lines = Array.from({ length: namesAsked }, (_, i) => `site-${i}.${zone} A`);
    await writeFile(file, `${lines.join('\n')}\n`);
    rows.push(await compare(name, servers, file));
  }
  return rows;
}
