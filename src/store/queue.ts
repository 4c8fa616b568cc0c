/**
 * Does one thing after the other, so that whoever reads and then writes is never overtaken. Writes
 * that wait together are handed over together; in between, work in the background gets a turn. It
 * does not know what is written.
 */
import { AltNetError } from '../base/errors.ts';

export interface QueueWork<W> {
  /** Settles each of them itself and never rejects. */
  writeAll(writes: readonly W[]): Promise<void>;
  /** How much of a group's limit a write takes: 1 is all of it. */
  weightOf(write: W): number;
  /** A little of what is to be done some time; false when there is nothing. */
  background(): Promise<boolean>;
}

type Job<W> =
  | { readonly kind: 'write'; readonly write: W }
  | { readonly kind: 'alone'; readonly run: () => Promise<void> };

export class SerialQueue<W> {
  readonly #work: QueueWork<W>;
  /** BOUNDED by the callers, who wait for their own. */
  readonly #jobs: Job<W>[] = [];
  #working: Promise<void> | undefined;
  #stopping = false;

  constructor(work: QueueWork<W>) {
    this.#work = work;
  }

  /** Nothing more is taken: what follows is refused. */
  get isStopped(): boolean {
    return this.#stopping && this.#working === undefined;
  }

  /** Not to be called once it has stopped. */
  write(write: W): void {
    this.#enqueue({ kind: 'write', write });
  }

  /** What `run` gives, once everything before it is done. */
  alone<T>(run: () => Promise<T>): Promise<T> {
    if (this.isStopped) return Promise.reject(closedError());
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#enqueue({ kind: 'alone', run: () => run().then(resolve, reject) });
    return promise;
  }

  /** Looks for something to do in the background. */
  wake(): void {
    this.#working ??= this.#run();
  }

  /** Resolves when everything that was asked for is done or has failed; the background rests. */
  async stop(): Promise<void> {
    this.#stopping = true;
    while (this.#working) await this.#working;
  }

  #enqueue(job: Job<W>): void {
    this.#jobs.push(job);
    this.#working ??= this.#run();
  }

  async #run(): Promise<void> {
    // Whoever asks in the same turn shares the first group.
    await Promise.resolve();
    let hasMore = true;
    while (this.#jobs.length > 0 || (hasMore && !this.#stopping)) {
      await this.#next();
      if (!this.#stopping) hasMore = await this.#work.background();
    }
    this.#working = undefined;
  }

  async #next(): Promise<void> {
    const [first] = this.#jobs;
    if (!first) return;
    if (first.kind === 'alone') {
      this.#jobs.shift();
      return first.run();
    }
    await this.#work.writeAll(this.#nextGroup());
  }

  #nextGroup(): W[] {
    const group: W[] = []; // BOUNDED by weightOf()
    let weight = 0;
    for (const job of this.#jobs) {
      if (job.kind === 'alone' || weight >= 1) break;
      weight += this.#work.weightOf(job.write);
      group.push(job.write);
    }
    this.#jobs.splice(0, group.length);
    return group;
  }
}

export function closedError(): AltNetError {
  return new AltNetError('INTERNAL', { what: 'the store is closed' });
}
