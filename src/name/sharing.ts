/** One piece of work for all who want the same at the same time. Knows nothing of the work. */
import { abortReason } from '../base/abort.ts';
import { AltNetError } from '../base/errors.ts';

interface Shared<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  waiting: number;
}

export class Sharing<T> {
  readonly #atOnce: number;
  /** BOUNDED by atOnce. */
  readonly #running = new Map<string, Shared<T>>();

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /**
   * Joins the work of that key, or begins it. It ends early only when the last who waits gives up.
   * Rejects with BUSY, with the signal's reason, or like `work`.
   */
  async run(
    key: string,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    const shared = this.#running.get(key) ?? this.#begin(key, work);
    shared.waiting++;
    const { promise: given, reject: giveUp } = Promise.withResolvers<never>();
    const onAbort = (): void => giveUp(abortReason(signal));
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([shared.result, given]);
    } finally {
      signal?.removeEventListener('abort', onAbort);
      shared.waiting--;
      if (shared.waiting === 0) this.#end(key, shared);
    }
  }

  /** Who asks from now on does not get the result of what is under way. */
  forget(key: string): void {
    this.#running.delete(key);
  }

  #begin(key: string, work: (signal: AbortSignal) => Promise<T>): Shared<T> {
    if (this.#running.size >= this.#atOnce) throw new AltNetError('BUSY', { what: 'names' });
    const controller = new AbortController();
    const shared: Shared<T> = { result: work(controller.signal), controller, waiting: 0 };
    this.#running.set(key, shared);
    const ended = (): void => this.#end(key, shared);
    shared.result.then(ended, ended);
    return shared;
  }

  /** Whoever comes now begins anew; work that nobody waits for any more is given up. */
  #end(key: string, shared: Shared<T>): void {
    if (this.#running.get(key) === shared) this.#running.delete(key);
    shared.controller.abort(new AltNetError('ABORTED', {}));
  }
}
