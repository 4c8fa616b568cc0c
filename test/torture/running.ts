/**
 * One node as a process of its own that is killed, stopped, paused and started again on the same
 * folder. It knows how the program is run, and nothing of what is tested. Unlike the nodes of
 * `test/support/cluster.ts` it needs no test runner, and one need not wait until it is ready.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { NodeServices } from '../../src/api/ports.ts';
import { connectToRunning } from '../../src/cli/connect.ts';
import { type Asked, servicesByCommand } from './by-command.ts';
import { checkout, commandLine } from './program.ts';
import type { Ready } from '../support/cluster.ts';

const readyMs = 60_000;
const stopMs = 20_000;
const logCharsMax = 256 * 1024;

export interface NodePlan {
  readonly name: string;
  /** Its data folder, which is there before and after the process. */
  readonly data: string;
  /** An address to join at. */
  readonly bootstrap?: string | undefined;
  /** host:port; any free port when left out. */
  readonly listen?: string | undefined;
  /** More options of `altnet start`. */
  readonly options?: readonly string[] | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** The network namespace that it runs in; that of this process when left out. */
  readonly host?: string | undefined;
}

export class RunningNode implements AsyncDisposable {
  readonly plan: NodePlan;
  readonly #child: ChildProcess;
  readonly #ready: Promise<Ready>;
  readonly #exited: Promise<unknown>;
  #log = '';

  private constructor(plan: NodePlan, child: ChildProcess) {
    this.plan = plan;
    this.#child = child;
    this.#exited = once(child, 'exit').catch(() => undefined);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#log = (this.#log + text).slice(-logCharsMax);
    });
    this.#ready = this.#readyLine();
    this.#ready.catch(() => undefined); // who killed it early does not ask
  }

  /** Does not wait for anything: the process may be killed from its first moment on. */
  static start(plan: NodePlan): RunningNode {
    const listen = plan.listen ?? '127.0.0.1:0';
    const words = ['start', '--headless', '--json', '--network', 'local', '--listen', listen];
    words.push('--gateway', '127.0.0.1:0', '--registrar', '127.0.0.1:0', '--data', plan.data);
    // Other nodes of this machine are other networks.
    words.push('--no-mdns', '--no-port-mapping', '--no-dns', '--no-metrics', '--no-guide');
    if (plan.bootstrap !== undefined) words.push('--bootstrap', plan.bootstrap);
    const [file = '', ...rest] = commandLine(plan.host, [...words, ...(plan.options ?? [])]);
    const env = { ...process.env, ...plan.env, ALTNET_WITH_PARENT: '1' };
    const child = spawn(file, rest, { cwd: checkout, env, stdio: ['ignore', 'pipe', 'pipe'] });
    return new RunningNode(plan, child);
  }

  /** Rejects when the process ends before. */
  ready(): Promise<Ready> {
    return this.#ready;
  }

  /** Its API, once it is ready. Only where this process shares its network. */
  async services(): Promise<NodeServices> {
    await this.#ready;
    const connection = await connectToRunning(this.plan.data);
    if (!connection) throw new Error(`${this.plan.name} has not said where its API is`);
    return connection.services;
  }

  /** The same as far as any node can be asked, wherever it runs. */
  async asked(): Promise<Asked> {
    const { host, data } = this.plan;
    if (host === undefined) return this.services();
    await this.#ready;
    return servicesByCommand(host, data);
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The signal that ended it, or its exit code; undefined while it runs. */
  get ending(): NodeJS.Signals | number | undefined {
    return this.#child.signalCode ?? this.#child.exitCode ?? undefined;
  }

  /** The end of what it wrote to its log. */
  get log(): string {
    return this.#log;
  }

  send(signal: NodeJS.Signals): void {
    if (this.isRunning) this.#child.kill(signal);
  }

  async exited(): Promise<void> {
    await this.#exited;
  }

  /** As a power switch would: nothing in the process can see it coming. */
  async kill(): Promise<void> {
    this.send('SIGKILL');
    await this.#exited;
  }

  /** Asks politely and resolves with the exit code; insists when that takes too long. */
  async stop(): Promise<number | null> {
    this.send('SIGCONT');
    this.send('SIGTERM');
    const timer = setTimeout(() => this.send('SIGKILL'), stopMs);
    await this.#exited;
    clearTimeout(timer);
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.send('SIGCONT');
    await this.kill();
  }

  async #readyLine(): Promise<Ready> {
    const { promise, resolve, reject } = Promise.withResolvers<Ready>();
    const fail = (why: string): void => reject(new Error(`${this.plan.name} ${why}\n${this.#log}`));
    const timer = setTimeout(() => fail('is not ready in time'), readyMs);
    this.#child.once('error', reject);
    this.#child.once('close', () => fail(`ended before it was ready (${this.ending})`));
    if (this.#child.stdout) {
      createInterface({ input: this.#child.stdout }).on('line', (line) => {
        const said = JSON.parse(line) as { event?: string };
        if (said.event === 'ready') resolve(said as Ready);
      });
    }
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }
}
