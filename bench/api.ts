/**
 * A site of 100 MB published through the API of a node as users run it: as a tar archive that comes
 * with the request, and, as the limit, as the same folder named by its path. Every measurement has
 * a node and a data folder of its own.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { request } from 'node:http';
import { type BenchRow, row } from './row.ts';
import { inFolder, settleDisk, Turns, turnsWanted } from './turns.ts';

const program: string = path.resolve(import.meta.dirname, '../bin/altnet');
const token = 'bench-0123456789abcdef';
const megabytes = Number(process.env['ALTNET_BENCH_API_MEGABYTES'] ?? '100');
const megabyte = 1_000_000;
/** Of each ten megabytes one file has half; the rest are pages and pictures. */
const largeFileBytes = 5 * megabyte;
const smallFileBytes = 100_000;
const peakGoalMegabytes = 250;

async function writeSite(site: string): Promise<void> {
  for (let i = 0; i < megabytes / 10; i++) {
    const folder = path.join(site, `part-${i}`);
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, 'film.bin'), randomBytes(largeFileBytes));
    for (let j = 0; j < largeFileBytes / smallFileBytes; j++) {
      await writeFile(path.join(folder, `page-${j}.html`), randomBytes(smallFileBytes));
    }
  }
}

interface Body {
  readonly type: string;
  readonly bytes: number;
  readonly stream: () => NodeJS.ReadableStream;
}

async function tarBody(file: string): Promise<Body> {
  const { size: bytes } = await stat(file);
  return { type: 'application/x-tar', bytes, stream: () => createReadStream(file) };
}

export function benchApi(): Promise<BenchRow[]> {
  return inFolder(async (folder) => {
    const turns = new Turns();
    const [site, archive] = [path.join(folder, 'site'), path.join(folder, 'site.tar')];
    await writeSite(site);
    await promisify(execFile)('tar', ['-C', site, '-c', '-f', archive, '.']);
    const roots = new Set<string>();
    for (let turn = 0; turn < turnsWanted; turn++) {
      for (const how of ['folder', 'tar'] as const) {
        await settleDisk();
        const data = path.join(folder, 'data');
        const body = how === 'tar' ? await tarBody(archive) : { path: site };
        const { root, ...measured } = await publishOnce(data, body);
        roots.add(root);
        turns.note(`publish by ${how}`, measured);
        await rm(data, { recursive: true });
      }
    }
    if (roots.size !== 1) throw new Error('the archive has another root than the folder');
    return rowsOf(turns);
  });
}

async function publishOnce(
  data: string,
  body: Body | { readonly path: string },
): Promise<{ seconds: number; peakMegabytes: number | undefined; root: string }> {
  const { child, port } = await startAltnet(data);
  try {
    const began = performance.now();
    const { root } = await post(port, body);
    const seconds = (performance.now() - began) / 1000;
    return { seconds, peakMegabytes: await peakMegabytesOf(child.pid ?? 0), root };
  } finally {
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  }
}

async function startAltnet(data: string): Promise<{ child: ChildProcess; port: number }> {
  const args = ['start', '--headless', '--json', '--network', 'local', '--no-dns', '--no-guide'];
  args.push('--data', data, '--registrar-token', token, '--log-level', 'error');
  args.push('--store-budget', '4GiB');
  for (const option of ['listen', 'gateway', 'registrar']) args.push(`--${option}`, '127.0.0.1:0');
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) {
    const { registrar } = JSON.parse(line) as { registrar?: string };
    if (registrar !== undefined) return { child, port: Number(registrar.split(':').at(-1)) };
  }
  throw new Error('the node ended before it was ready');
}

async function post(
  port: number,
  body: Body | { readonly path: string },
): Promise<{ root: string }> {
  const text = 'path' in body ? JSON.stringify(body) : undefined;
  const asked = request({
    host: '127.0.0.1',
    port,
    method: 'POST',
    path: '/api/publish',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'type' in body ? body.type : 'application/json',
      'content-length': 'bytes' in body ? body.bytes : Buffer.byteLength(text ?? ''),
    },
  });
  const answered = once(asked, 'response') as Promise<[AsyncIterable<Uint8Array>]>;
  if ('stream' in body) body.stream().pipe(asked);
  else asked.end(text);
  const [response] = await answered;
  const chunks: Uint8Array[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const answer = JSON.parse(Buffer.concat(chunks).toString()) as { root?: string; error?: string };
  if (answer.root === undefined) throw new Error(answer.error);
  return { root: answer.root };
}

/** The most that the process ever held; undefined where the system does not tell. */
async function peakMegabytesOf(pid: number): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined;
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
}

function rowsOf(turns: Turns): BenchRow[] {
  const rate = (name: string): number => megabytes / turns.seconds(name);
  const what = `publish a tar of ${megabytes} MB through the API`;
  const limit = { name: 'the same folder by its path', value: rate('publish by folder') };
  const rows = [row({ name: what, value: rate('publish by tar'), unit: 'MB/s', limit })];
  const [value, folder] = [turns.peak('publish by tar'), turns.peak('publish by folder')];
  if (value === undefined || folder === undefined) return rows;
  const peak = { name: 'the same folder by its path', value: folder };
  const goal = { goal: peakGoalMegabytes, lowerIsBetter: true } as const;
  return [...rows, row({ name: `${what}, peak`, value, unit: 'MB', limit: peak, ...goal })];
}
