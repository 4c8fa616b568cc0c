/**
 * A network of hosts for bench/wan.ts: the emulator that joins them, and one node process in each.
 * It knows how they are started, spoken to and ended, not what is measured.
 *
 * The emulator is a program of its own, which this project does not need for anything else: a
 * command `wan` with `up -n N --rtt MS --seed S`, `exec HOST -- COMMAND`, `set HOSTS
 * loss=P` and `down`, that gives each host a network namespace with an address and each pair of
 * hosts a delay. The environment variable ALTNET_WAN says where it is; else PATH is searched.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

export interface WanNodeOptions {
  readonly data: string;
  /** host:port. */
  readonly address: string;
  readonly bootstrap: string | undefined;
}

export type WanCommand =
  | { readonly do: 'put'; readonly url: string; readonly target: string }
  | { readonly do: 'get'; readonly url: string }
  /** How many contacts the routing table has. */
  | { readonly do: 'table' };

export interface WanAnswerBody {
  /** Of a get: until the first value came; undefined when none did. */
  readonly firstMs?: number | undefined;
  readonly doneMs: number;
  /** Nodes that stored it, links that were found, contacts. */
  readonly count: number;
}

export type WanAnswer = { readonly id: number } & (WanAnswerBody | { readonly error: string });

/** The emulator, or one line that says why there is none. */
export async function findEmulator(): Promise<{ program: string } | { why: string }> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    return { why: 'network namespaces need Linux and root' };
  }
  const named = process.env['ALTNET_WAN'];
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  const places = named ? [named] : folders.map((folder) => path.join(folder, 'wan'));
  for (const program of places) {
    const runs = await access(program, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs) return { program };
  }
  return { why: 'no WAN emulator: set ALTNET_WAN to a program with wan up/exec/set/down' };
}

const script: string = path.join(import.meta.dirname, 'wan-node.ts');
const port = 9000;
/**
 * How the emulator numbers its hosts: of one private network, where all are servers at once. Public
 * addresses that are so near to each other would meet the limits against crowds of one operator.
 */
const net = '10.77';
/** Nodes that start at once: each takes a second of a core. */
const startingMax = 4;
const settleMs = 60_000;

export interface WanPlan {
  readonly hosts: number;
  readonly rttMs: number;
  readonly seed: number;
}

export class WanNetwork implements AsyncDisposable {
  readonly #program: string;
  readonly #plan: WanPlan;
  readonly #name: string = `altnet-bench-${process.pid}`;
  readonly #hosts: WanHost[] = []; // BOUNDED by the plan
  #folder = '';

  constructor(program: string, plan: WanPlan) {
    this.#program = program;
    this.#plan = plan;
  }

  /** Hosts whose node runs. */
  get hosts(): readonly WanHost[] {
    return this.#hosts.filter(({ alive }) => alive);
  }

  /** Brings the network up and starts a node in each host; resolves when they know each other. */
  async start(): Promise<void> {
    const { hosts, rttMs, seed } = this.#plan;
    this.#folder = await mkdtemp(path.join(os.tmpdir(), 'altnet-wan-'));
    const size = ['-n', String(hosts), '--rtt', String(rttMs), '--seed', String(seed)];
    await this.#wan('up', ...size);
    const first = await this.#startHost(0, undefined);
    const rest = Array.from({ length: hosts - 1 }, (_, i) => i + 1).values();
    const lane = async (): Promise<void> => {
      for (const index of rest) await this.#startHost(index, first.address);
    };
    await Promise.all(Array.from({ length: startingMax }, lane));
    await this.#settle();
  }

  /** One-way, for every pair: 0.01 is one datagram in a hundred. */
  async setLoss(share: number): Promise<void> {
    await this.#wan('set', `0-${this.#plan.hosts - 1}`, `loss=${share}`);
  }

  /** What they hold and what was on its way to them is gone at once. */
  async vanish(hosts: readonly WanHost[]): Promise<void> {
    await Promise.all(hosts.map((host) => host.kill()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.vanish(this.hosts);
    await this.#wan('down').catch(() => undefined);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #startHost(index: number, bootstrap: string | undefined): Promise<WanHost> {
    const address = `${net}.${1 + Math.floor(index / 200)}.${1 + (index % 200)}:${port}`;
    const data = path.join(this.#folder, String(index));
    const options: WanNodeOptions = { data, address, bootstrap };
    const runtime = [process.execPath, '--max-semi-space-size=2', script, JSON.stringify(options)];
    const child = spawn(this.#program, ['exec', String(index), '--', ...runtime], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: {
        ...process.env,
        WAN_NAME: this.#name,
        NODE_COMPILE_CACHE: path.join(this.#folder, 'cache'),
      },
    });
    const host = new WanHost(child, address);
    this.#hosts.push(host);
    await host.ready();
    return host;
  }

  /** Waits until every node has met most of the others. */
  async #settle(): Promise<void> {
    const wanted = Math.min(this.#plan.hosts - 1, 32);
    const untilMs = performance.now() + settleMs;
    for (;;) {
      const tables = await Promise.all(this.hosts.map((host) => host.ask({ do: 'table' })));
      const sizes = tables.map((answer) => ('count' in answer ? answer.count : 0));
      if (sizes.every((size) => size >= wanted)) return;
      if (performance.now() > untilMs) {
        process.stderr.write(`bench: tables hold ${Math.min(...sizes)} to ${Math.max(...sizes)}\n`);
        return;
      }
      await delay(1000);
    }
  }

  async #wan(...args: readonly string[]): Promise<void> {
    const env = { ...process.env, WAN_NAME: this.#name };
    await promisify(execFile)(this.#program, args, { env });
  }
}

/** One node process, asked by lines. */
export class WanHost {
  readonly address: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: WanAnswer) => void>(); // BOUNDED by the bench
  readonly #ready = Promise.withResolvers<void>();
  #nextId = 1;

  constructor(child: ChildProcess, address: string) {
    this.#child = child;
    this.address = address;
    if (!child.stdout) throw new Error('a node without output');
    createInterface({ input: child.stdout }).on('line', (line) => this.#hear(line));
    child.once('exit', () => this.#end());
    this.#ready.promise.catch(() => undefined);
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async ready(): Promise<void> {
    await this.#ready.promise;
  }

  /** An error is an answer too. */
  ask(command: WanCommand): Promise<WanAnswer> {
    const id = this.#nextId++;
    const { promise, resolve } = Promise.withResolvers<WanAnswer>();
    this.#waiting.set(id, resolve);
    this.#child.stdin?.write(`${JSON.stringify({ id, ...command })}\n`);
    return promise;
  }

  async kill(): Promise<void> {
    if (!this.alive) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  #hear(line: string): void {
    const said = JSON.parse(line) as WanAnswer | { readonly ready: true };
    if ('ready' in said) return this.#ready.resolve();
    this.#waiting.get(said.id)?.(said);
    this.#waiting.delete(said.id);
  }

  #end(): void {
    this.#ready.reject(new Error(`the node at ${this.address} ended before it was ready`));
    for (const [id, resolve] of this.#waiting) resolve({ id, error: 'the node ended' });
    this.#waiting.clear();
  }
}
