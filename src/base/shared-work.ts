/**
 * One piece of work for all who want the same at the same time. It goes on as long as one of them
 * waits, and is given up when the last one has gone. Knows nothing of the work.
 */
import { untilAborted } from './abort.ts';
import { AltNetError } from './errors.ts';

export interface WorkLimit {
  /** Pieces of work at the same time. */
  readonly jobsMax: number;
  /** What there is too much of then, for a person who is turned away. */
  readonly what: string;
}

export interface Caller<P> {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: P) => void) | undefined;
}

/** `signal` aborts when nobody waits any more; `report` tells all who wait. */
export type Work<T, P> = (signal: AbortSignal, report: (progress: P) => void) => Promise<T>;

interface Job<T, P> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  readonly watchers: Set<(progress: P) => void>; // BOUNDED by the callers
  waiting: number;
}

export class SharedWork<T, P = never> {
  readonly #limit: WorkLimit | undefined;
  /** BOUNDED by jobsMax, or by the callers: none without somebody waiting. */
  readonly #jobs = new Map<string, Job<T, P>>();
  /** What was given up may take a while to end. BOUNDED by the work, which heeds its signal. */
  readonly #running = new Set<Promise<T>>();

  /** Without a limit, its callers must have one. */
  constructor(limit?: WorkLimit) {
    this.#limit = limit;
  }

  /**
   * Joins the work of this key, or begins it, at once. Rejects with BUSY, with the signal's reason,
   * or like the work.
   */
  async run(key: string, work: Work<T, P>, { signal, onProgress }: Caller<P> = {}): Promise<T> {
    signal?.throwIfAborted();
    const job = this.#jobs.get(key) ?? this.#begin(key, work);
    job.waiting++;
    if (onProgress) job.watchers.add(onProgress);
    try {
      return await untilAborted(job.result, signal);
    } finally {
      if (onProgress) job.watchers.delete(onProgress);
      if (--job.waiting === 0) this.#end(key, job);
    }
  }

  /** Who asks from now on does not get the result of what is under way. */
  forget(key: string): void {
    this.#jobs.delete(key);
  }

  /** The same of every key. */
  forgetAll(): void {
    this.#jobs.clear();
  }

  /** Gives up everything; resolves when nothing runs any more. */
  async stop(): Promise<void> {
    for (const [key, job] of this.#jobs) this.#end(key, job);
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }

  #begin(key: string, work: Work<T, P>): Job<T, P> {
    if (this.#limit && this.#jobs.size >= this.#limit.jobsMax) {
      throw new AltNetError('BUSY', { what: this.#limit.what });
    }
    const controller = new AbortController();
    const watchers = new Set<(progress: P) => void>();
    const result = work(controller.signal, (progress) => {
      for (const watcher of watchers) watcher(progress);
    });
    const job: Job<T, P> = { result, controller, watchers, waiting: 0 };
    this.#jobs.set(key, job);
    this.#running.add(result);
    const ended = (): void => {
      this.#running.delete(result);
      this.#end(key, job);
    };
    result.then(ended, ended); // what went wrong is for those who wait, if any are left
    return job;
  }

  /** Whoever comes now begins anew. Harmless for work that is done. */
  #end(key: string, job: Job<T, P>): void {
    if (this.#jobs.get(key) === job) this.#jobs.delete(key);
    job.controller.abort(new AltNetError('ABORTED', {}));
  }
}
