/**
 * Work that several callers want at the same time is done once. It goes on as long as one of them
 * waits, and is given up when the last one has gone.
 */
import { abortReason } from '../base/abort.ts';
import { AltNetError } from '../base/errors.ts';

interface Job<T, P> {
  readonly promise: Promise<T>;
  readonly controller: AbortController;
  readonly watchers: Set<(progress: P) => void>; // BOUNDED by the callers
  users: number;
}

export interface Caller<P> {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: P) => void) | undefined;
}

export class SharedJobs<T, P> {
  readonly #jobs = new Map<string, Job<T, P>>(); // BOUNDED by the callers

  /** Joins the job of this key, or begins it with `work`. */
  async run(
    key: string,
    caller: Caller<P>,
    work: (signal: AbortSignal, report: (progress: P) => void) => Promise<T>,
  ): Promise<T> {
    const { signal, onProgress } = caller;
    signal?.throwIfAborted();
    const job = this.#jobs.get(key) ?? this.#begin(key, work);
    job.users++;
    if (onProgress) job.watchers.add(onProgress);
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(abortReason(signal));
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([job.promise, aborted]);
    } finally {
      signal?.removeEventListener('abort', onAbort);
      if (onProgress) job.watchers.delete(onProgress);
      if (--job.users === 0) this.#end(key, job);
    }
  }

  /** Gives up everything; resolves when nothing runs any more. */
  async stop(): Promise<void> {
    const jobs = [...this.#jobs];
    for (const [key, job] of jobs) this.#end(key, job);
    await Promise.allSettled(jobs.map(([, { promise }]) => promise));
  }

  #begin(
    key: string,
    work: (signal: AbortSignal, report: (progress: P) => void) => Promise<T>,
  ): Job<T, P> {
    const controller = new AbortController();
    const watchers = new Set<(progress: P) => void>();
    const promise = work(controller.signal, (progress) => {
      for (const watcher of watchers) watcher(progress);
    });
    promise.catch(() => undefined); // the callers get it, if any are left
    const job: Job<T, P> = { promise, controller, watchers, users: 0 };
    this.#jobs.set(key, job);
    return job;
  }

  /** Harmless for a job that is done. */
  #end(key: string, job: Job<T, P>): void {
    if (this.#jobs.get(key) === job) this.#jobs.delete(key);
    job.controller.abort(new AltNetError('ABORTED', {}));
  }
}
