/**
 * What a node costs before it does anything: the time from `bin/altnet start` to the ready line, and
 * the memory it holds after ten idle seconds. The limits are those of a bare Node.js process that
 * prints a line and waits.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { type BenchRow, row } from './row.ts';

const program: string = path.resolve(import.meta.dirname, '../bin/altnet');
const idleMs = 10_000;
const warmRuns = 5;
const bareScript = "console.log('ready'); setInterval(() => {}, 1 << 30)";

interface Started {
  readonly child: ChildProcess;
  /** Seconds from spawn to the first line that contains "ready". */
  readonly readySeconds: number;
}

async function startUntilReady(command: string, args: readonly string[]): Promise<Started> {
  const began = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child, 'spawn');
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.includes('ready')) continue;
    return { child, readySeconds: (performance.now() - began) / 1000 };
  }
  throw new Error(`${command} ended before it was ready`);
}

const startBare = (): Promise<Started> => startUntilReady(process.execPath, ['-e', bareScript]);

/** What of a node can be left out, and all of it. */
const services = {
  least: ['--no-dns', '--no-mdns', '--no-port-mapping', '--no-relay'],
  usual: ['--dns', '127.0.0.1:0'],
  all: ['--dns', '127.0.0.1:0', '--gateway-tls', '127.0.0.1:0', '--relay-listen', '127.0.0.1:0'],
} as const;

type Services = keyof typeof services;

function startAltnet(data: string, which: Services = 'usual'): Promise<Started> {
  const args = ['start', '--headless', '--json', '--network', 'local', '--data', data];
  args.push('--log-level', 'error', ...services[which]);
  for (const option of ['listen', 'gateway', 'registrar']) args.push(`--${option}`, '127.0.0.1:0');
  return startUntilReady(program, args);
}

async function end({ child }: Started): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

/** Megabytes that a process and all its children hold; a launcher in between counts too. */
async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  let megabytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    const children = await readFile(`/proc/${pid}/task/${thread}/children`, 'utf8');
    for (const child of children.split(' ').filter(Boolean)) {
      megabytes += await residentMegabytes(Number(child));
    }
  }
  return megabytes;
}

async function idleMegabytes(started: Started): Promise<number> {
  await delay(idleMs);
  return residentMegabytes(started.child.pid ?? 0);
}

async function medianReadySeconds(start: () => Promise<Started>): Promise<number> {
  const seconds: number[] = [];
  for (let run = 0; run < warmRuns; run++) {
    const started = await start();
    seconds.push(started.readySeconds);
    await end(started);
  }
  return seconds.toSorted((a, b) => a - b)[Math.floor(warmRuns / 2)] ?? NaN;
}

/** Memory figures need /proc, so they are left out elsewhere than on Linux. */
export async function benchNode(): Promise<BenchRow[]> {
  const data = await mkdtemp(path.join(os.tmpdir(), 'altnet-bench-'));
  try {
    await once(spawn(program, ['--version'], { stdio: 'ignore' }), 'exit'); // bundles, if need be
    const first = await startAltnet(data);
    await end(first);
    const limit = { name: 'bare Node.js', value: await medianReadySeconds(startBare) };
    const [unit, goal, lowerIsBetter] = ['s', 1.5, true] as const;
    const usual = await medianReadySeconds(() => startAltnet(data));
    const all = await medianReadySeconds(() => startAltnet(data, 'all'));
    return [
      row({ name: 'first start, new data', value: first.readySeconds, unit, limit }),
      row({ name: 'start to ready', value: usual, unit, limit, goal, lowerIsBetter }),
      row({ name: 'start to ready, all services', value: all, unit, limit, goal, lowerIsBetter }),
      ...(process.platform === 'linux' ? await memoryRows(data) : []),
    ];
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}

/** Of a start that is not the first of its bundle: that one compiles, and holds what it takes. */
async function memoryRows(data: string): Promise<BenchRow[]> {
  const bare = await startBare();
  const limit = { name: 'bare Node.js', value: await residentMegabytes(bare.child.pid ?? 0) };
  await end(bare);
  const [unit, goal, lowerIsBetter] = ['MB', 110, true] as const;
  const rows: BenchRow[] = [];
  for (const [which, name] of [
    ['usual', 'idle memory'],
    ['least', 'idle memory, nothing that can be left out'],
    ['all', 'idle memory, all services'],
  ] as const) {
    const idle = await startAltnet(data, which);
    const value = await idleMegabytes(idle);
    await end(idle);
    const goals = which === 'all' ? {} : { goal };
    rows.push(row({ name, value, unit, limit, lowerIsBetter, ...goals }));
  }
  return rows;
}
