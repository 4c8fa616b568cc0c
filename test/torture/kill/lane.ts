/**
 * One node that is killed again and again on the same data folder. A round is: work that is let to
 * finish, work that is not, a restart, and a look at everything that was acknowledged before.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isAltNetError } from '../../../src/base/errors.ts';
import type { SeededRandom } from '../../../sim/random.ts';
import type { NodeServices } from '../../../src/api/ports.ts';
import { type NodePlan, RunningNode } from '../running.ts';
import { type Bench, folderIn } from '../scenario.ts';
import { auditFolder } from './audit.ts';
import { Ledger } from './ledger.ts';
import { claimed, type Spans } from './moment.ts';
import {
  type Operation,
  type OperationKind,
  operationKinds,
  operationOf,
  type OtherSite,
  type Workshop,
} from './operations.ts';

/** What is killed: an operation, a node that ends, one that starts, one that starts after a kill. */
export type KillKind = OperationKind | 'shutdown' | 'start' | 'recovery';
export const killKinds: readonly KillKind[] = [...operationKinds, 'shutdown', 'start', 'recovery'];

export interface LanePlan {
  readonly lane: number;
  readonly random: SeededRandom;
  readonly bootstrap: string;
  readonly others: readonly OtherSite[];
  readonly budgetBytes: number;
  readonly spans: Spans;
}

/** Errors that are an answer: there is no room, and the node said so. */
const answers = ['STORE_FULL', 'DISK_FULL'] as const;

export class Lane {
  readonly #bench: Bench;
  readonly #plan: LanePlan;
  #nodePlan: NodePlan;
  readonly #shop: Workshop;
  readonly #ledger = new Ledger();
  #node: RunningNode | undefined;
  #where = 'before the first round';
  #round = 0;
  #isBroken = false;

  constructor(bench: Bench, plan: LanePlan) {
    this.#bench = bench;
    this.#plan = plan;
    const name = `lane-${plan.lane}`;
    this.#nodePlan = {
      name,
      data: folderIn(bench, name, 'data'),
      bootstrap: plan.bootstrap,
      options: ['--store-budget', String(plan.budgetBytes), '--replicas', '0'],
    };
    this.#shop = {
      ledger: this.#ledger,
      random: plan.random,
      scratch: folderIn(bench, name, 'scratch'),
      others: plan.others,
      acknowledged: (what) => bench.tally.acknowledged(what),
      wrong: (what) => this.#lose(what),
    };
  }

  /** False when this folder has shown a fault: it is kept as it is, for whoever looks into it. */
  get isSound(): boolean {
    return !this.#isBroken;
  }

  async begin(): Promise<void> {
    await this.#start();
  }

  async round(kind: KillKind): Promise<void> {
    const { random } = this.#plan;
    this.#round++;
    this.#where = `lane ${this.#plan.lane} round ${this.#round}`;
    try {
      for (let i = random.below(3); i > 0; i--) {
        await this.#finish(operationKinds[random.below(operationKinds.length)] ?? 'fetch');
      }
      const interrupted = await this.#killDuring(kind);
      await this.#comeBack(interrupted);
      await this.#audit();
    } catch (error) {
      const log = this.#node?.log.slice(-2000) ?? '';
      this.#found('failure', `${error instanceof Error ? error.stack : String(error)}\n${log}`);
    }
  }

  async end(): Promise<void> {
    await this.#node?.[Symbol.asyncDispose]();
  }

  /** Work in peace. What it takes is what the moment of a later kill is drawn from. */
  async #finish(kind: OperationKind): Promise<void> {
    const services = await this.#services();
    const begun = performance.now();
    if (await this.#attempt(operationOf(kind, this.#shop), services)) {
      this.#plan.spans.learn(kind, performance.now() - begun);
    }
  }

  /** True when it was done; false when the node said that there is no room. */
  async #attempt(operation: Operation, services: NodeServices): Promise<boolean> {
    try {
      await operation(services);
      return true;
    } catch (error) {
      if (answers.some((code) => isAltNetError(error, code))) return false;
      throw error;
    }
  }

  /** The node is dead afterwards. Resolves with what it was doing, to be asked for again. */
  async #killDuring(kind: KillKind): Promise<Operation | undefined> {
    const { random, spans } = this.#plan;
    const waitMs = spans.draw(kind, random);
    this.#where += ` (${kind}, killed after ${waitMs.toFixed(0)} ms)`;
    this.#bench.tally.fault(`kill during ${kind}`);
    if (kind === 'start' || kind === 'recovery') {
      if (kind === 'start') await this.#stop();
      else await this.#node?.kill();
      await this.#killStart(waitMs);
      return undefined;
    }
    const node = this.#running();
    if (kind === 'shutdown') {
      const begun = performance.now();
      node.send('SIGTERM');
      await Promise.race([delay(waitMs), node.exited()]);
      if (!node.isRunning) spans.learn(kind, performance.now() - begun);
      await node.kill();
      return undefined;
    }
    return this.#killOperation(operationOf(kind, this.#shop), waitMs);
  }

  async #killOperation(operation: Operation, waitMs: number): Promise<Operation | undefined> {
    const services = await this.#services();
    const work = this.#attempt(operation, services).then(
      () => undefined,
      () => operation,
    );
    await delay(waitMs);
    await this.#running().kill();
    return work;
  }

  /** Kills a node that opens its store: it recovers, or brings an older format up to date. */
  async #killStart(waitMs: number): Promise<void> {
    const node = this.#launch();
    await claimed(node);
    await delay(waitMs);
    await node.kill();
  }

  async #comeBack(interrupted: Operation | undefined): Promise<void> {
    const begun = performance.now();
    const services = await this.#start();
    this.#bench.tally.recovered(performance.now() - begun);
    const { checked, losses } = await this.#ledger.verify(services, this.#shop.scratch);
    this.#bench.tally.checked(checked);
    const { own, copies, visited } = await services.stats();
    for (const [what, count] of Object.entries({ own, copies, visited })) {
      this.#bench.tally.saw(`${what} held by one node`, count);
    }
    for (const loss of losses) this.#lose(loss);
    if (interrupted) await this.#attempt(interrupted, services);
  }

  /** Only a store that nobody uses can be read by another process. */
  async #audit(): Promise<void> {
    await this.#stop();
    const { data } = this.#nodePlan;
    const { budgetBytes } = this.#plan;
    for (const what of await auditFolder(data, { budgetBytes })) this.#found('accounting', what);
    if (this.isSound) await this.#start();
  }

  async #start(): Promise<NodeServices> {
    const node = this.#launch();
    const begun = performance.now();
    const { listen } = await node.ready();
    this.#nodePlan = { ...this.#nodePlan, listen }; // where others look for it from now on
    this.#plan.spans.learn('start', performance.now() - begun);
    this.#plan.spans.learn('recovery', performance.now() - begun);
    return node.services();
  }

  #launch(): RunningNode {
    this.#node = RunningNode.start(this.#nodePlan);
    return this.#node;
  }

  async #stop(): Promise<void> {
    const node = this.#running();
    const begun = performance.now();
    const code = await node.stop();
    this.#plan.spans.learn('shutdown', performance.now() - begun);
    if (code !== 0) this.#found('failure', `ended with ${node.ending}\n${node.log.slice(-2000)}`);
  }

  #running(): RunningNode {
    const node = this.#node;
    if (!node?.isRunning) throw new Error(`the node ended by itself (${node?.ending})`);
    return node;
  }

  #services(): Promise<NodeServices> {
    return this.#running().services();
  }

  #lose(what: string): void {
    this.#found('loss', what);
  }

  #found(kind: 'loss' | 'accounting' | 'failure', what: string): void {
    this.#isBroken = true;
    this.#bench.tally.found({ kind, what, where: this.#where });
  }
}
