/**
 * Real nodes for product-level tests: one process each, on loopback, on free ports, with folders of
 * their own. Whatever a test starts here ends with the test, by process id; what the nodes said is
 * shown when the test failed.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { NodeServices } from '../../src/api/ports.ts';
import { forEachOf } from '../../src/base/parallel.ts';
import { connectToRunning } from '../../src/cli/connect.ts';
import { atEnd, temporaryFolder } from './cleanup.ts';

const root: string = path.resolve(import.meta.dirname, '../..');
/** What users run; Windows, which cannot run a shell script, takes the sources. */
const [program, ...programWords]: [string, ...string[]] =
  process.platform === 'win32'
    ? [process.execPath, path.join(root, 'src/cli/main.ts')]
    : [path.join(root, 'bin/altnet')];

/** The example site, which most of these tests publish. */
export const guideFolder: string = path.join(root, 'examples/guide');

const readyMs = 60_000;
const commandMs = 90_000;
const stopMs = 15_000;
const logCharsMax = 64 * 1024;

/** The ready line of `altnet start --json`. */
export interface Ready {
  readonly event: 'ready';
  readonly node: string;
  readonly author: string;
  readonly authorPublicKey: string;
  readonly listen: string;
  readonly gateway: string;
  readonly registrar: string;
  /** Null where they were not asked for. */
  readonly gatewayTls?: string | null;
  readonly dns?: string | null;
}

export interface ClusterNode {
  readonly name: string;
  /** Its data folder; survives the process, so that the node can be started again. */
  readonly data: string;
  readonly pid: number;
  /** Words before each command to it: those that lead to its host. */
  readonly within: readonly string[];
  readonly ready: Ready;
  /** The end of what it said on stderr. */
  readonly log: () => string;
  /** Ends the process and resolves with its exit code, null when a signal killed it. */
  end(signal?: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
}

export interface NodeInput {
  readonly name: string;
  /** An address to join at. */
  readonly bootstrap?: string | undefined;
  /** Of an earlier node; a new temporary folder when absent. */
  readonly data?: string | undefined;
  /** More options of `altnet start`. */
  readonly options?: readonly string[];
  /** Besides this process's. */
  readonly env?: Readonly<Record<string, string>>;
  /** Words that lead to another host, before those of the command: `ip netns exec HOST`. */
  readonly within?: readonly string[];
  /** As a user starts it who sets nothing: only for hosts that lead nowhere. */
  readonly isPlain?: boolean;
  /** Whether it publishes the example site as it starts. */
  readonly hasGuide?: boolean;
}

/** Free ports of loopback, and nothing that would tell others of this machine of the node. */
const quietOptions: readonly string[] = [
  '--network',
  'local',
  ...['listen', 'gateway', 'registrar'].flatMap((name) => [`--${name}`, '127.0.0.1:0']),
  '--no-dns',
  '--no-metrics',
  '--no-mdns',
  '--no-port-mapping',
];

/** What a command printed, and how it ended. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export type JsonObject = Record<string, unknown>;

/** Keeps the end of what a stream says. */
function keepTail(stream: NodeJS.ReadableStream | null): () => string {
  let text = '';
  stream?.setEncoding('utf8');
  stream?.on('data', (piece: string) => {
    text = (text + piece).slice(-logCharsMax);
  });
  return () => text;
}

async function readyLine(child: ChildProcess, log: () => string): Promise<Ready> {
  assert.ok(child.stdout);
  const lines = createInterface({ input: child.stdout });
  const { promise, resolve, reject } = Promise.withResolvers<Ready>();
  const timer = setTimeout(() => reject(new Error(`not ready in time\n${log()}`)), readyMs);
  lines.on('line', (line) => {
    const said = JSON.parse(line) as { event?: string };
    if (said.event === 'ready') resolve(said as Ready);
  });
  child.once('exit', (code) => reject(new Error(`ended with ${code} before ready\n${log()}`)));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

function running(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/** Asks politely, then insists: a node that ignores SIGTERM must not outlive its test. */
async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (!running(child)) return child.exitCode;
  const exited = once(child, 'exit');
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), stopMs);
  await exited;
  clearTimeout(timer);
  return child.exitCode;
}

/** Node.js sets it when the test function has ended; the type declarations lack it. */
function passed(t: TestContext): boolean {
  return (t as TestContext & { readonly passed: boolean }).passed;
}

/** Starts a node and waits until it listens everywhere. */
export async function startNode(t: TestContext, input: NodeInput): Promise<ClusterNode> {
  const data = input.data ?? temporaryFolder(t);
  const { within = [], isPlain = false, hasGuide = false } = input;
  const [first, ...words] = [...within, program, ...programWords, 'start', '--headless', '--json'];
  assert.ok(first !== undefined);
  const args = [...words, ...(isPlain ? [] : quietOptions), '--data', data];
  if (!isPlain && !hasGuide) args.push('--no-guide');
  if (input.bootstrap !== undefined) args.push('--bootstrap', input.bootstrap);
  const child = spawn(first, [...args, ...(input.options ?? [])], {
    cwd: root,
    env: { ...process.env, ...input.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log = keepTail(child.stderr);
  atEnd(t, async () => {
    await endProcess(child, 'SIGTERM');
    if (!passed(t)) t.diagnostic(`log of node ${input.name}:\n${log()}`);
  });
  await once(child, 'spawn');
  const ready = await readyLine(child, log);
  assert.ok(child.pid !== undefined);
  return {
    name: input.name,
    data,
    pid: child.pid,
    within,
    ready,
    log,
    end: (signal = 'SIGTERM') => endProcess(child, signal),
  };
}

export interface ClusterOptions {
  /** More options of `altnet start`, for each node. */
  readonly options?: readonly string[];
}

/** As many starts at the same time as do not make the slowest of them too slow. */
const startsAtOnce = 8;

/** `count` nodes, named by their numbers from 1 on; all join at the first. */
export async function startCluster(
  t: TestContext,
  count: number,
  { options = [] }: ClusterOptions = {},
): Promise<ClusterNode[]> {
  const first = await startNode(t, { name: '1', options });
  const bootstrap = first.ready.listen;
  const nodes = [first];
  const others = Array.from({ length: count - 1 }, (_, i) => i + 1);
  await forEachOf(others, startsAtOnce, async (index) => {
    nodes[index] = await startNode(t, { name: `${index + 1}`, bootstrap, options });
  });
  atEnd(t, () => Promise.all(nodes.map((node) => node.end())));
  await Promise.all(nodes.map((node) => knowsPeers(node, Math.min(count - 1, 4))));
  return nodes;
}

const asked = new WeakMap<ClusterNode, NodeServices>(); // BOUNDED by the nodes of a test

/** The node as programs use it, through its API; where many calls are made, cheaper than commands. */
export async function servicesOf(node: ClusterNode): Promise<NodeServices> {
  const known = asked.get(node);
  if (known) return known;
  const connection = await connectToRunning(node.data);
  assert.ok(connection, `node ${node.name} runs`);
  asked.set(node, connection.services);
  return connection.services;
}

/** Waits until the node's routing table has at least `contactsMin` entries. */
export async function knowsPeers(node: ClusterNode, contactsMin: number): Promise<void> {
  const services = await servicesOf(node);
  await eventually(`${node.name} knows ${contactsMin} other nodes`, async () => {
    return (await services.stats()).table >= contactsMin;
  });
}

/** Polls until `holds` does. For what no event announces; fails with `what` after a minute. */
export async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + readyMs;
  while (!(await holds())) {
    assert.ok(performance.now() < end, `never came true: ${what}`);
    await delay(200);
  }
}

/** Runs `altnet` with these words, as a user would; never rejects for what the command says. */
export async function runProgram(
  words: readonly string[],
  input = '',
  { within = [], env = {} }: Pick<NodeInput, 'within' | 'env'> = {},
): Promise<Outcome> {
  const [first, ...rest] = [...within, program, ...programWords, ...words];
  assert.ok(first !== undefined);
  const child = spawn(first, rest, {
    cwd: root,
    env: { ...process.env, ...env },
    timeout: commandMs,
  });
  const [stdout, stderr] = [keepTail(child.stdout), keepTail(child.stderr)];
  child.stdin.on('error', () => undefined); // a command that reads nothing may close it first
  child.stdin.end(input);
  await once(child, 'close');
  return { code: child.exitCode, stdout: stdout(), stderr: stderr() };
}

/** Runs a command against `node` with --json, whatever comes of it. */
export function tryAltnet(node: ClusterNode, ...words: string[]): Promise<Outcome> {
  return runProgram([...words, '--json', '--data', node.data], '', { within: node.within });
}

/** Every object that a command, which must succeed, printed. */
export async function altnetLines(node: ClusterNode, ...words: string[]): Promise<JsonObject[]> {
  const { code, stdout, stderr } = await tryAltnet(node, ...words);
  assert.equal(code, 0, `altnet ${words.join(' ')} on ${node.name}: ${stderr}`);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JsonObject);
}

/** The one object that a command, which must succeed, printed. */
export async function altnet(node: ClusterNode, ...words: string[]): Promise<JsonObject> {
  const lines = await altnetLines(node, ...words);
  assert.equal(lines.length, 1, `altnet ${words.join(' ')} printed ${lines.length} lines`);
  return lines[0] ?? {};
}
