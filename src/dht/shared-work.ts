/** Work that several ask for while it is under way is done once. Knows nothing of what it is. */
import { abortReason } from '../base/abort.ts';

interface Job<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  /** Who waits for it. */
  waiting: number;
}

export class SharedWork<T> {
  readonly #jobs = new Map<string, Job<T>>(); // BOUNDED by who asks: none without somebody waiting

  /**
   * The result of `work`, or of the same under this key that was under way. Rejects with the
   * signal's reason when it aborts; when nobody waits any more, the work is aborted.
   */
  run(key: string, work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    if (signal.aborted) return Promise.reject(abortReason(signal));
    const job = this.#jobs.get(key) ?? this.#begin(key, work);
    job.waiting++;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const onAbort = (): void => {
      if (--job.waiting === 0) {
        if (this.#jobs.get(key) === job) this.#jobs.delete(key);
        job.controller.abort(abortReason(signal));
      }
      reject(abortReason(signal));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const settle = (): void => signal.removeEventListener('abort', onAbort);
    job.result.finally(settle).then(resolve, reject);
    return promise;
  }

  #begin(key: string, work: (signal: AbortSignal) => Promise<T>): Job<T> {
    const controller = new AbortController();
    const job: Job<T> = { result: work(controller.signal), controller, waiting: 0 };
    this.#jobs.set(key, job);
    const forget = (): void => {
      if (this.#jobs.get(key) === job) this.#jobs.delete(key);
    };
    job.result.then(forget, forget);
    return job;
  }
}
