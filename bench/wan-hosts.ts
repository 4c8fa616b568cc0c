/**
 * A network of hosts for bench/wan.ts and bench/wan-content.ts: the emulator that joins them, and
 * one node process in each. It knows how they are started, spoken to and ended, not what is
 * measured.
 *
 * The emulator is a program of its own, which this project does not need for anything else: a
 * command `wan` with `up -n N --rtt MS --seed S --flat --up R --down R`, `exec HOST -- COMMAND`,
 * `set HOSTS loss=P up=R`, `stats -v` and `down`, that gives each host a network namespace with an
 * address and each pair of hosts a delay. The environment variable ALTNET_WAN says where it is;
 * else PATH is searched.
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
import { nodeFlags } from './bundled.ts';

export interface WanNodeOptions {
  readonly data: string;
  /** host:port. */
  readonly address: string;
  readonly bootstrap: string | undefined;
  /** Holds no records for others, as most nodes at home. */
  readonly guest: boolean;
}

/** What every node process answers; what else, depends on its script. */
export type TableCommand =
  /** How many contacts the routing table has. */
  { readonly do: 'table' };

export type WanCommand =
  | TableCommand
  | { readonly do: 'put'; readonly url: string; readonly target: string }
  | { readonly do: 'get'; readonly url: string };

export interface WanAnswerBody {
  /** Until the first value or the first byte of a page came; undefined when none did. */
  readonly firstMs?: number | undefined;
  readonly doneMs: number;
  /** Nodes that stored it, links that were found, contacts, bytes, megabytes. */
  readonly count: number;
  /** Of what was published, as CID. */
  readonly root?: string | undefined;
  /** Peers that sent something. */
  readonly peers?: number | undefined;
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
  /** Every pair of hosts has the same round trip, instead of the same median. */
  readonly flat?: boolean;
  /** Every host's access line, up and down, such as "50mbit"; unlimited when left out. */
  readonly line?: string;
  /** How many of the last hosts have guests. */
  readonly guests?: number;
  /** Of the node processes, beside this file or an absolute path; wan-node.ts when left out. */
  readonly script?: string;
}

export class WanNetwork<Command extends object = WanCommand> implements AsyncDisposable {
  readonly #program: string;
  readonly #plan: WanPlan;
  readonly #name: string = `altnet-bench-${process.pid}`;
  readonly #hosts: WanHost<Command | TableCommand>[] = []; // BOUNDED by the plan
  #folder = '';

  constructor(program: string, plan: WanPlan) {
    this.#program = program;
    this.#plan = plan;
  }

  /** Hosts whose node runs. */
  get hosts(): readonly WanHost<Command | TableCommand>[] {
    return this.#hosts.filter(({ alive }) => alive);
  }

  get #servers(): number {
    return this.#plan.hosts - (this.#plan.guests ?? 0);
  }

  /** Brings the network up and starts a node in each host; resolves when they know each other. */
  async start(): Promise<void> {
    const { hosts, rttMs, seed, flat, line } = this.#plan;
    this.#folder = await mkdtemp(path.join(os.tmpdir(), 'altnet-wan-'));
    const size = ['-n', String(hosts), '--rtt', String(rttMs), '--seed', String(seed)];
    const lines = line === undefined ? [] : ['--up', line, '--down', line];
    await this.#wan('up', ...size, ...(flat === true ? ['--flat'] : []), ...lines);
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

  /** How much these hosts can send, such as "15mbit". */
  async setUplink(hosts: readonly Pick<WanHost, 'index'>[], rate: string): Promise<void> {
    await this.#wan('set', hosts.map(({ index }) => index).join(','), `up=${rate}`);
  }

  /** Bytes of packets that came to this host so far. */
  async received({ index }: Pick<WanHost, 'index'>): Promise<number> {
    const lines = (await this.#wan('stats', '-v')).split('\n').map((line) => line.split(','));
    const column = lines[0]?.indexOf('rx_bytes') ?? -1;
    return Number(lines.find(([host]) => host === String(index))?.[column]);
  }

  /** What they hold and what was on its way to them is gone at once. */
  async vanish(hosts: readonly Pick<WanHost, 'kill'>[]): Promise<void> {
    await Promise.all(hosts.map((host) => host.kill()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.vanish(this.hosts);
    await this.#wan('down').catch(() => undefined);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #startHost(
    index: number,
    bootstrap: string | undefined,
  ): Promise<Pick<WanHost, 'address'>> {
    const ip = `${net}.${1 + Math.floor(index / 200)}.${1 + (index % 200)}`;
    const address = `${ip}:${port}`;
    const data = path.join(this.#folder, String(index));
    const guest = index >= this.#servers;
    const options: WanNodeOptions = { data, address, bootstrap, guest };
    const script = path.resolve(import.meta.dirname, this.#plan.script ?? 'wan-node.ts');
    const runtime = [process.execPath, ...nodeFlags, script, JSON.stringify(options)];
    const child = spawn(this.#program, ['exec', String(index), '--', ...runtime], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: {
        ...process.env,
        WAN_NAME: this.#name,
        NODE_COMPILE_CACHE: path.join(this.#folder, 'cache'),
      },
    });
    const host = new WanHost<Command | TableCommand>(child, { index, address, ip });
    this.#hosts.push(host);
    await host.ready();
    return host;
  }

  /** Waits until every node has met most of the others. */
  async #settle(): Promise<void> {
    const wanted = Math.min(this.#servers - 1, 32);
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

  async #wan(...args: readonly string[]): Promise<string> {
    const env = { ...process.env, WAN_NAME: this.#name };
    const { stdout } = await promisify(execFile)(this.#program, args, { env });
    return stdout;
  }
}

/** One node process, asked by lines. */
export class WanHost<Command extends object = WanCommand> {
  readonly index: number;
  readonly ip: string;
  /** ip:port. */
  readonly address: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: WanAnswer) => void>(); // BOUNDED by the bench
  readonly #ready = Promise.withResolvers<void>();
  #nextId = 1;

  constructor(
    child: ChildProcess,
    { index, ip, address }: { index: number; ip: string; address: string },
  ) {
    this.#child = child;
    this.index = index;
    this.ip = ip;
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
  ask(command: Command): Promise<WanAnswer> {
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
