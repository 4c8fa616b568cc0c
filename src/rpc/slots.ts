/**
 * How many requests are under way at once. One more waits in a bounded queue for its turn. Ending
 * all of them is one call, and each settles exactly once.
 */
import { abortReason } from '../base/abort.ts';
import { AltNetError } from '../base/errors.ts';

export class Slots {
  readonly #runningMax: number;
  readonly #waitingMax: number;
  #taken = 0;
  readonly #running = new Set<AbortController>(); // BOUNDED by runningMax
  readonly #waiting: (() => void)[] = []; // BOUNDED by waitingMax
  #closed = false;

  constructor({ runningMax, waitingMax }: { runningMax: number; waitingMax: number }) {
    this.#runningMax = runningMax;
    this.#waitingMax = waitingMax;
  }

  /**
   * Runs `work` when it is its turn, with a signal that aborts on `signal` or `close`. Rejects with
   * ABORTED after `close`, with UNREACHABLE about `what` when too many are waiting.
   */
  async run<T>(
    { what, signal }: { what: string; signal: AbortSignal | undefined },
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    if (this.#closed) throw new AltNetError('ABORTED', {});
    if (signal?.aborted) throw abortReason(signal);
    if (this.#taken < this.#runningMax) this.#taken += 1;
    else await this.#turn(what, signal);
    try {
      return await this.#runNow(signal, work);
    } finally {
      this.#release();
    }
  }

  /** Ends what runs and what waits with ABORTED; later calls are refused. */
  close(): void {
    this.#closed = true;
    for (const controller of this.#running) controller.abort(new AltNetError('ABORTED', {}));
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #runNow<T>(
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const controller = new AbortController();
    const onAbort = (): void => controller.abort(abortReason(signal));
    if (signal?.aborted) onAbort();
    if (this.#closed) controller.abort(new AltNetError('ABORTED', {}));
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#running.add(controller);
    try {
      return await work(controller.signal);
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#running.delete(controller);
    }
  }

  /** A place that is given up goes straight to who waits longest, so nobody slips in between. */
  #release(): void {
    const wake = this.#waiting.shift();
    if (wake) wake();
    else this.#taken -= 1;
  }

  /** Resolves with a place taken. */
  async #turn(what: string, signal: AbortSignal | undefined): Promise<void> {
    if (this.#waiting.length >= this.#waitingMax) {
      throw new AltNetError('UNREACHABLE', { what, why: 'too many requests are waiting' });
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = (): void => {
      this.#waiting.splice(this.#waiting.indexOf(wake), 1);
      reject(abortReason(signal));
    };
    const wake = (): void => {
      signal?.removeEventListener('abort', onAbort);
      if (!this.#closed) return resolve();
      reject(new AltNetError('ABORTED', {}));
    };
    this.#waiting.push(wake);
    signal?.addEventListener('abort', onAbort, { once: true });
    await promise;
  }
}
