/**
 * How fast a large file is published and fetched, and how much memory that takes. The limits are
 * what the parts below can do at best: the common UnixFS importer into memory, one TLS stream, and
 * LMDB. Every measurement has a process of its own.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, open, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import type { Answer, Task } from './content-worker.ts';
import { type BenchRow, row } from './row.ts';

const fileBytes = 500 * 1000 * 1000;
const megabyte = 1_000_000;
const peakGoalMegabytes = 200;
const worker: string = path.resolve(import.meta.dirname, 'content-worker.ts');

/**
 * Short-lived objects of a stream keep its buffers in memory until they are collected: a small
 * nursery costs no speed and saves 50 MB.
 */
const execArgv: string[] = ['--max-semi-space-size=2'];

class Worker implements AsyncDisposable {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(worker, { serialization: 'advanced', stdio: 'inherit', execArgv });
  }

  async ask(message: Task | 'peak'): Promise<Answer> {
    const failed = once(this.#child, 'exit').then(() => {
      throw new Error('a worker of the bench ended early');
    });
    const answered = once(this.#child, 'message') as Promise<[Answer]>;
    this.#child.send(message);
    const [answer] = await Promise.race([answered, failed]);
    failed.catch(() => undefined);
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}

async function askOnce(task: Task): Promise<Answer> {
  await using one = new Worker();
  return await one.ask(task);
}

const speed = ({ seconds }: Answer): number => fileBytes / megabyte / seconds;

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'altnet-bench-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeRandomFile(folder: string): Promise<string> {
  const file = path.join(folder, 'large.bin');
  await using handle = await open(file, 'w');
  for (let left = fileBytes; left > 0; left -= 4 * megabyte) {
    await handle.write(randomBytes(Math.min(left, 4 * megabyte)));
  }
  await handle.sync();
  return file;
}

/** Memory figures need /proc, so they are left out elsewhere than on Linux. */
function memoryRow(name: string, { peakMegabytes: value }: Answer, floor: Answer): BenchRow[] {
  if (value === undefined || floor.peakMegabytes === undefined) return [];
  const limit = { name: 'reading one TLS stream', value: floor.peakMegabytes };
  return [row({ name, value, unit: 'MB', limit, goal: peakGoalMegabytes, lowerIsBetter: true })];
}

/** Publishing a file of 500 MB, store included. */
export function benchPublish(): Promise<BenchRow[]> {
  return inFolder(async (folder) => {
    const file = await writeRandomFile(folder);
    const best = await askOnce({ role: 'importer', file });
    const own = await askOnce({ role: 'serve', folder: path.join(folder, 'data'), file });
    const limit = { name: 'ipfs-unixfs-importer into memory', value: speed(best) };
    return [row({ name: 'publish 500 MB', value: speed(own), unit: 'MB/s', limit, goal: 0.5 })];
  });
}

/** Fetching a file of 500 MB from one peer on loopback, until it is safe in the store. */
export function benchFetch(): Promise<BenchRow[]> {
  return inFolder(async (folder) => {
    const tls = await benchTls();
    const lmdb = await askOnce({
      role: 'lmdb',
      bytes: fileBytes,
      folder: path.join(folder, 'lmdb'),
    });
    const file = await writeRandomFile(folder);
    await using server = new Worker();
    const task = { role: 'serve', folder: path.join(folder, 'a'), file } as const;
    const { root, record } = await server.ask(task);
    if (root === undefined || record === undefined) throw new Error('nothing was published');
    const fetched = await askOnce({ role: 'fetch', folder: path.join(folder, 'b'), root, record });
    const served = await server.ask('peak');
    const slower = speed(tls) < speed(lmdb) ? 'a TLS stream' : 'LMDB put';
    const limit = { name: slower, value: Math.min(speed(tls), speed(lmdb)) };
    return [
      row({ name: 'fetch 500 MB', value: speed(fetched), unit: 'MB/s', limit, goal: 0.5 }),
      ...memoryRow('publish and serve 500 MB, peak', served, tls),
      ...memoryRow('fetch 500 MB, peak', fetched, tls),
    ];
  });
}

async function benchTls(): Promise<Answer> {
  await using server = new Worker();
  const { port } = await server.ask({ role: 'tls-serve', bytes: fileBytes });
  return await askOnce({ role: 'tls-read', bytes: fileBytes, port: port ?? 0 });
}

if (process.argv[1] === import.meta.filename) {
  for (const one of [...(await benchPublish()), ...(await benchFetch())]) console.log(one);
}
