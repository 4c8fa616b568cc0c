/**
 * The processes of bench/content.ts and bench/files.ts. Each answers what it is asked and takes the
 * time itself; a process each, so that memory and warm-up of one measurement are not those of
 * another.
 */
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { parseRoot, rootHex } from '../src/content/dag/root.ts';
import type { SignedRecord } from '../src/record/envelope.ts';
import {
  copyToOneFile,
  hashBlocks,
  importToMemory,
  readTls,
  serveTls,
  type StoreWrite,
  type Timing,
  writeFiles,
  writeStore,
} from './content-limits.ts';
import { type ContentNode, startContentNode } from './content-node.ts';
import { answerWith } from './forked.ts';

/** What a process is asked to do. `data` is the folder of its node, which it has from then on. */
export type Task =
  | { readonly role: 'publish'; readonly data: string; readonly path: string }
  /** Announces the one site that `data` holds and serves it until the process is ended. */
  | { readonly role: 'serve'; readonly data: string }
  | {
      readonly role: 'fetch';
      readonly data: string;
      readonly root: string;
      readonly records: readonly SignedRecord[];
      /** Also writes it as this folder. */
      readonly dest?: string;
    }
  | { readonly role: 'peak' }
  /** Closes the node, so that another process can have its folder. */
  | { readonly role: 'end' }
  | { readonly role: 'tls-serve'; readonly bytes: number }
  | { readonly role: 'tls-read'; readonly bytes: number; readonly port: number }
  | ({ readonly role: 'store' } & StoreWrite)
  | { readonly role: 'hash'; readonly blocks: number; readonly blockBytes: number }
  | { readonly role: 'importer'; readonly path: string }
  | { readonly role: 'copy'; readonly path: string; readonly dest: string }
  | {
      readonly role: 'write-files';
      readonly dest: string;
      readonly folders: number;
      readonly filesEach: number;
      readonly fileBytes: number;
    };

export interface Answer {
  readonly seconds: number;
  /** Of the processor, for what took `seconds`; of the process so far where nothing was timed. */
  readonly cpuSeconds: number;
  /** Most memory that the process ever held; undefined where the system does not tell. */
  readonly peakMegabytes: number | undefined;
  readonly root?: string;
  readonly record?: SignedRecord | undefined;
  readonly port?: number;
  /** Peers that sent something. */
  readonly peers?: number;
}

/** What the processor did for the task, once it was timed. */
let timedCpuSeconds: number | undefined;

const timed: Timing = async (work) => {
  const cpuBefore = cpuSeconds();
  const began = performance.now();
  await work();
  timedCpuSeconds = cpuSeconds() - cpuBefore;
  return (performance.now() - began) / 1000;
};

/** Of all threads of this process. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function peakMegabytes(): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined;
  const status = await readFile('/proc/self/status', 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

let node: Promise<ContentNode> | undefined;

function nodeOn(data: string, providers: readonly SignedRecord[] = []): Promise<ContentNode> {
  node ??= startContentNode(data, providers);
  return node;
}

async function publish({ data, path }: Task & { role: 'publish' }): Promise<Partial<Answer>> {
  const { sites, announced } = await nodeOn(data);
  let root = '';
  const seconds = await timed(async () => {
    root = rootHex((await sites.publish(path)).root);
  });
  return { seconds, root, record: announced() };
}

async function serve({ data }: Task & { role: 'serve' }): Promise<Partial<Answer>> {
  const { sites, announced } = await nodeOn(data);
  await sites.reprovide();
  return { record: announced() };
}

async function fetchSite(task: Task & { role: 'fetch' }): Promise<Partial<Answer>> {
  const { sites } = await nodeOn(task.data, task.records);
  const root = parseRoot(task.root);
  let peers = 0;
  const seconds = await timed(async () => {
    const { dest } = task;
    const fetched = dest === undefined ? sites.ensure(root) : sites.fetch(root, dest);
    ({ peers } = await fetched);
  });
  return { seconds, peers };
}

const roles: {
  readonly [R in Task['role']]: (task: Task & { role: R }) => Promise<Partial<Answer>>;
} = {
  publish,
  serve,
  fetch: fetchSite,
  peak: () => Promise.resolve({}),
  end: async () => {
    await (await node)?.[Symbol.asyncDispose]();
    return {};
  },
  'tls-serve': async ({ bytes }) => ({ port: await serveTls(bytes) }),
  'tls-read': async ({ port, bytes }) => ({ seconds: await timed(() => readTls(port, bytes)) }),
  store: async (task) => ({ seconds: await writeStore(task, timed) }),
  hash: async ({ blocks, blockBytes }) => ({
    seconds: await timed(() => Promise.resolve(hashBlocks(blocks, blockBytes))),
  }),
  importer: async ({ path }) => ({ seconds: await timed(() => importToMemory(path)) }),
  copy: async ({ path, dest }) => ({
    seconds: await timed(() => Promise.resolve(copyToOneFile(path, dest))),
  }),
  'write-files': async ({ dest, ...rest }) => ({
    seconds: await timed(() => Promise.resolve(writeFiles(dest, rest))),
  }),
};

async function perform<R extends Task['role']>(task: Task & { role: R }): Promise<Answer> {
  timedCpuSeconds = undefined;
  const answer = await roles[task.role](task);
  const spent = {
    cpuSeconds: timedCpuSeconds ?? cpuSeconds(),
    peakMegabytes: await peakMegabytes(),
  };
  return { seconds: 0, ...answer, ...spent };
}

answerWith(perform);
