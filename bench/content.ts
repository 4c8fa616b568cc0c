/**
 * How fast a file of 1 GB is published and fetched on loopback, and how much memory that takes. The
 * limits are what the parts below can do at best: the common UnixFS importer into memory, one TLS
 * stream, and the store. Every measurement has a process of its own.
 */
import { randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import type { SignedRecord } from '../src/record/envelope.ts';
import { bundled, nodeFlags } from './bundled.ts';
import type { Answer, Task } from './content-worker.ts';
import { Forked } from './forked.ts';
import { type BenchRow, row } from './row.ts';
import { inFolder, settleDisk, Turns, turnsWanted } from './turns.ts';

const megabyte = 1_000_000;
const fileBytes = 1000 * megabyte;
const blockBytes = 256 * 1024;
const providersWanted = 4;
const fetchGoal = 0.6;
const publishGoal = 0.5;
const peakGoalMegabytes = 250;

const workerFile = await bundled('content-worker.ts');

export class Worker extends Forked<Task, Answer> {
  constructor() {
    super(workerFile, { flags: nodeFlags });
  }
}

export async function askOnce(task: Task): Promise<Answer> {
  await using one = new Worker();
  return await one.ask(task);
}

/** Publishes into `data` in a process that then gives the folder back. */
export async function publishOnce(data: string, source: string): Promise<Answer> {
  await using one = new Worker();
  const answer = await one.ask({ role: 'publish', data, path: source });
  await one.ask({ role: 'end' });
  return answer;
}

async function writeRandomFile(folder: string): Promise<string> {
  const file = path.join(folder, 'large.bin');
  await using handle = await open(file, 'w');
  for (let left = fileBytes; left > 0; left -= 4 * megabyte) {
    await handle.write(randomBytes(Math.min(left, 4 * megabyte)));
  }
  return file;
}

/** Publishing and fetching 1 GB: one after the other, as the fetched is what was published. */
export function benchLargeFile(): Promise<BenchRow[]> {
  return inFolder(async (folder) => {
    const file = await writeRandomFile(folder);
    const turns = new Turns();
    const at = (name: string): string => path.join(folder, name);
    const root = await publishAll({ at, file, turns });
    await using stack = new AsyncDisposableStack();
    const providers = Array.from({ length: providersWanted }, () => stack.use(new Worker()));
    const records: SignedRecord[] = [];
    for (const [i, provider] of providers.entries()) {
      const { record } = await provider.ask({ role: 'serve', data: at(`provider-${i}`) });
      if (record) records.push(record);
    }
    for (let turn = 0; turn < turnsWanted; turn++) {
      await measureLimits({ at, turns, turn });
      for (const some of [records.slice(0, 1), records]) {
        await settleDisk();
        const data = at(`reader-${turn}-${some.length}`);
        const before = await cpuSecondsOf(providers);
        const answer = await askOnce({ role: 'fetch', data, root, records: some });
        const cpuSeconds = answer.cpuSeconds + (await cpuSecondsOf(providers)) - before;
        await forget(data);
        turns.note(fetchName(some.length), { ...answer, cpuSeconds });
        if (answer.peers !== some.length) {
          process.stderr.write(`bench:   ${answer.peers} of ${some.length} providers sent\n`);
        }
      }
    }
    for (const provider of providers) turns.note('serve', await provider.ask({ role: 'peak' }));
    return rowsOf(turns);
  });
}

/** So far, of all of them. */
async function cpuSecondsOf(workers: readonly Worker[]): Promise<number> {
  const answers = await Promise.all(workers.map((one) => one.ask({ role: 'peak' })));
  return answers.reduce((sum, one) => sum + one.cpuSeconds, 0);
}

const fetchName = (providers: number): string => `fetch from ${providers}`;

interface Bench {
  /** A path in the folder of the bench. */
  readonly at: (name: string) => string;
  readonly turns: Turns;
}

/** The root, after each provider has published the same file. */
async function publishAll({ at, file, turns }: Bench & { file: string }): Promise<string> {
  let root: string | undefined;
  for (let i = 0; i < providersWanted; i++) {
    await settleDisk();
    if (i < turnsWanted) turns.note('importer', await askOnce({ role: 'importer', path: file }));
    await settleDisk();
    const answer = await publishOnce(at(`provider-${i}`), file);
    turns.note('publish', answer);
    root = answer.root;
  }
  if (root === undefined) throw new Error('nothing was published');
  return root;
}

async function measureLimits({ at, turns, turn }: Bench & { turn: number }): Promise<void> {
  await using server = new Worker();
  const { port = 0 } = await server.ask({ role: 'tls-serve', bytes: fileBytes });
  const before = await cpuSecondsOf([server]);
  const read = await askOnce({ role: 'tls-read', bytes: fileBytes, port });
  const cpuSeconds = read.cpuSeconds + (await cpuSecondsOf([server])) - before;
  turns.note('tls', { ...read, cpuSeconds });
  const blocks = Math.ceil(fileBytes / blockBytes);
  turns.note('hash', await askOnce({ role: 'hash', blocks, blockBytes }));
  await settleDisk();
  const folder = at(`written-${turn}`);
  const write = { folder, blocks, blockBytes, batchBytes: storeBatchBytes };
  turns.note('store', await askOnce({ role: 'store', ...write }));
  await forget(folder);
}

/**
 * Gives back the memory that the system keeps files in: in a virtual machine what was not in use
 * before has to be brought from outside, which takes up to ten times as long as the copy.
 */
function forget(folder: string): Promise<void> {
  return rm(folder, { recursive: true });
}

/**
 * What the parts take one by one, nobody can take less for together: this does not depend on how
 * many cores there are, and less on what else they do.
 */
function cpuRow(turns: Turns, providers: number): BenchRow {
  const parts = ['tls', 'hash', 'store'].map((name) => turns.cpuSeconds(name));
  return row({
    name: `processor, reader and ${providers === 1 ? 'one' : 'four'}`,
    value: turns.cpuSeconds(fetchName(providers)),
    unit: 'CPU-s/GB',
    limit: { name: 'TLS at both ends, SHA-256, the store', value: parts.reduce((a, b) => a + b) },
    lowerIsBetter: true,
  });
}

/** What the store is fastest with. */
const storeBatchBytes = 8 * 1024 * 1024;

function rowsOf(turns: Turns): BenchRow[] {
  const speed = (name: string): number => fileBytes / megabyte / turns.seconds(name);
  const unit = 'MB/s';
  const tls = { name: 'one TLS stream', value: speed('tls') };
  const store = { name: 'writing to the store', value: speed('store') };
  const slower = tls.value < store.value ? tls : store;
  const importer = { name: 'ipfs-unixfs-importer into memory', value: speed('importer') };
  const fetches = [1, providersWanted].map((count) => {
    const name = `fetch 1 GB from ${count === 1 ? 'one' : 'four'}`;
    return row({ name, value: speed(fetchName(count)), unit, limit: slower, goal: fetchGoal });
  });
  return [
    row({
      name: 'publish 1 GB',
      value: speed('publish'),
      unit,
      limit: importer,
      goal: publishGoal,
    }),
    ...fetches,
    row({ name: 'writing 1 GB to the store', value: store.value, unit, limit: tls }),
    ...[1, providersWanted].map((count) => cpuRow(turns, count)),
    ...memoryRow('publish 1 GB, peak', { turns, of: 'publish' }),
    ...memoryRow('serve 1 GB again and again, peak', { turns, of: 'serve' }),
    ...memoryRow('fetch 1 GB from one, peak', { turns, of: fetchName(1) }),
    ...memoryRow('fetch 1 GB from four, peak', { turns, of: fetchName(providersWanted) }),
  ];
}

/** Memory figures need /proc, so they are left out elsewhere than on Linux. */
function memoryRow(name: string, { turns, of }: { turns: Turns; of: string }): BenchRow[] {
  const [value, floor] = [turns.peak(of), turns.peak('tls')];
  if (value === undefined || floor === undefined) return [];
  const limit = { name: 'reading one TLS stream', value: floor };
  return [row({ name, value, unit: 'MB', limit, goal: peakGoalMegabytes, lowerIsBetter: true })];
}
