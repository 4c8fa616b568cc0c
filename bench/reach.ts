/**
 * What a site behind a NAT can be read with: through a relay, and over the direct connection that
 * comes about, each beside a plain TCP stream through the same network namespaces. Root only.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { atEnd, type Ending } from '../test/support/cleanup.ts';
import { Hosts, namespacesMissing } from '../test/support/namespaces.ts';
import { type BenchRow, NotRun, row } from './row.ts';

const program = path.join(import.meta.dirname, 'reach-node.ts');
const bytes = 200_000_000;
const roundsMax = 8;
/** One way, where the kernel can delay. */
const delayMs = 20;
const [relayIp, otherIp, publisherIp, readerIp] = [
  '45.71.0.1',
  '45.72.0.1',
  '45.76.0.1',
  '45.77.0.1',
];

interface Line {
  readonly relay?: string;
  readonly publicKey?: string;
  readonly ms?: number;
  readonly isDirect?: boolean;
}

interface Running {
  /** What it says next. */
  next(): Promise<Line>;
  end(): Promise<void>;
}

export async function benchReach(): Promise<BenchRow[]> {
  const missing = namespacesMissing();
  if (missing !== false) throw new NotRun(missing);
  const rows = await measure({ delayed: false });
  if (await canDelay()) return [...rows, ...(await measure({ delayed: true }))];
  process.stderr.write('bench: reach without delay only: this kernel has no netem\n');
  return rows;
}

async function measure({ delayed }: { readonly delayed: boolean }): Promise<BenchRow[]> {
  await using stack = new AsyncDisposableStack();
  const ending: Ending = { after: (undo) => stack.defer(undo) };
  const hosts = new Hosts(ending);
  const names = [relayIp, otherIp].map((ip) => hosts.public(ip));
  const [publisherRouter, readerRouter] = [hosts.router(publisherIp), hosts.router(readerIp)];
  const [publisher, reader] = [hosts.behind(publisherRouter), hosts.behind(readerRouter)];
  if (delayed) for (const each of [...names, publisherRouter, readerRouter]) delay(each);
  const relays: string[] = []; // BOUNDED by names
  for (const [i, name] of names.entries()) {
    const { relay = '' } = await start(ending, name, ['relay', [relayIp, otherIp][i] ?? '']).next();
    relays.push(relay);
  }
  const { publicKey = '' } = await start(ending, publisher, ['serve', ...relays]).next();
  const ask = [String(bytes), publicKey, ...relays];
  const relayed = await fastest(ending, reader, {
    args: ['read-relayed', ...ask],
    isDirect: false,
  });
  const direct = await fastest(ending, reader, { args: ['read', ...ask], isDirect: true });
  const plain = await plainTcp(ending, names[0] ?? '', reader);
  const line = delayed ? `, ${4 * delayMs} ms there and back` : '';
  const limit = { name: 'plain TCP through one of the routers', value: plain };
  return [
    row({ name: `through a relay${line}`, value: relayed, unit: 'MB/s', limit }),
    row({ name: `directly through two NATs${line}`, value: direct, unit: 'MB/s', limit }),
  ];
}

/** MB/s of the best of three reads that went this way; 0 where none did in time. */
async function fastest(
  ending: Ending,
  host: string,
  { args, isDirect }: { readonly args: readonly string[]; readonly isDirect: boolean },
): Promise<number> {
  const reader = start(ending, host, args);
  const rates: number[] = []; // BOUNDED by roundsMax
  for (let round = 0; round < roundsMax && rates.length < 3; round++) {
    const line = await reader.next();
    if (line.isDirect === isDirect) rates.push(rate(line.ms ?? 1));
  }
  await reader.end();
  return Math.max(0, ...rates);
}

function rate(ms: number): number {
  return bytes / 1000 / ms;
}

/** Ends with the bench, or before. */
function start(ending: Ending, host: string, args: readonly string[]): Running {
  const words = ['netns', 'exec', host, process.execPath, program, ...args];
  const child = spawn('ip', words, { stdio: ['ignore', 'pipe', 'inherit'] });
  atEnd(ending, () => end(child));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    next: async () => JSON.parse(String((await lines.next()).value)) as Line,
    end: () => end(child),
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** From a public host to one behind a NAT, between two processes of Node.js: MB/s, the best of three. */
async function plainTcp(ending: Ending, from: string, to: string): Promise<number> {
  start(ending, from, ['tcp-serve', String(bytes)]);
  const reader = start(ending, to, ['tcp-read', relayIp ?? '']);
  let best = 0;
  for (let round = 0; round < 3; round++)
    best = Math.max(best, rate((await reader.next()).ms ?? 1));
  return best;
}

/** Only trying tells. */
async function canDelay(): Promise<boolean> {
  await using stack = new AsyncDisposableStack();
  try {
    delay(new Hosts({ after: (undo) => stack.defer(undo) }).public(relayIp ?? ''));
    return true;
  } catch {
    return false;
  }
}

function delay(host: string): void {
  const words = ['netns', 'exec', host, 'tc', 'qdisc', 'add', 'dev', 'wan', 'root', 'netem'];
  const how = ['delay', `${delayMs}ms`, 'limit', '100000'];
  execFileSync('ip', [...words, ...how], { stdio: 'ignore' });
}
