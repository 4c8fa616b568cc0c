/**
 * One disk worker that runs: questions to it, its answers, and its end, whoever brought that about.
 * When and why there is one is not its business.
 */
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { DiskAnswer, DiskQuestion, DiskTask } from './disk-tasks.ts';

/** In the sources and in the bundle, the program of the worker lies beside this file. */
export const diskProgram: URL = new URL(
  `disk-worker${path.extname(import.meta.filename)}`,
  import.meta.url,
);
const tasksMax = 256;

export class RunningWorker {
  readonly #worker: Worker;
  /** What to do with the answer, undefined when there will be none. BOUNDED by tasksMax. */
  readonly #waiting = new Map<number, (answer: DiskAnswer | undefined) => void>();
  readonly #ended: Promise<void>;
  #isOnline = false;
  #isEnding = false;
  #count = 0;

  /** `onDeath` is called once when it ends without having been told to. */
  constructor(program: URL, onDeath: (why: string) => void) {
    // It needs nothing of what this process was started with, such as what is loaded beforehand.
    this.#worker = new Worker(program, { name: 'altnet-disk', execArgv: [] });
    this.#worker.unref();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ended = promise;
    let why = 'it ended by itself';
    this.#worker.on('online', () => (this.#isOnline = true));
    this.#worker.on('message', (answer: DiskAnswer) => this.#settle(answer));
    this.#worker.on('error', (error) => (why = String(error)));
    this.#worker.once('exit', () => {
      const wasAlive = !this.#isEnding;
      this.#isEnding = true;
      for (const settle of this.#waiting.values()) settle(undefined);
      this.#waiting.clear();
      resolve();
      if (wasAlive) onDeath(why);
    });
  }

  get isIdle(): boolean {
    return this.#waiting.size === 0;
  }

  /** Undefined when it takes no more now; resolves to undefined when it ended without an answer. */
  ask(task: DiskTask): Promise<DiskAnswer | undefined> | undefined {
    const isReady = this.#isOnline && !this.#isEnding;
    if (!isReady || this.#waiting.size >= tasksMax) return undefined;
    const question: DiskQuestion = { number: this.#count++, task };
    this.#worker.postMessage(question, []);
    if (this.isIdle) this.#worker.ref(); // the process goes on as long as somebody waits
    const { promise, resolve } = Promise.withResolvers<DiskAnswer | undefined>();
    this.#waiting.set(question.number, resolve);
    return promise;
  }

  /** Resolves when it is no more. What was not answered will not be. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#worker.terminate();
    await this.#ended;
  }

  #settle(answer: DiskAnswer): void {
    this.#waiting.get(answer.number)?.(answer);
    this.#waiting.delete(answer.number);
    if (this.isIdle) this.#worker.unref();
  }
}
