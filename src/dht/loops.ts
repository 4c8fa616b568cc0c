/** Work that comes round again until it is stopped. */
import { abortReason } from '../base/abort.ts';
import type { CancelTimer, Timers } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { reasonOf } from '../base/reason.ts';

/** What happened meanwhile may change when a round is due: then it is asked again. */
export class Nudge {
  #wake: () => void = () => undefined;

  /** Has the round that waits ask `delayMs` anew. */
  readonly now = (): void => this.#wake();

  /** For `repeat`. */
  onNow(wake: () => void): void {
    this.#wake = wake;
  }
}

export interface Round {
  /** For the log. */
  readonly name: string;
  /** How long to wait before the next round; asked each time. */
  readonly delayMs: () => number;
  /** An error is logged and ends this round only. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  readonly nudge?: Nudge | undefined;
}

/** For `repeat`: the first round comes after `firstMs`, each other one after `laterMs`. */
export function firstThen(firstMs: number, laterMs: number): () => number {
  let nextMs = firstMs;
  return () => {
    const ms = nextMs;
    nextMs = laterMs;
    return ms;
  };
}

/** Resolves when `signal` has aborted and the round under way has ended. */
export async function repeat(
  { name, delayMs, run, nudge }: Round,
  { timers, log, signal }: { timers: Timers; log: Logger; signal: AbortSignal },
): Promise<void> {
  const pause = new Pause(timers, signal);
  nudge?.onNow(() => pause.interrupt());
  while (!signal.aborted) {
    try {
      while ((await pause.wait(delayMs())) === 'interrupted') signal.throwIfAborted();
      await run(signal);
    } catch (error) {
      if (!signal.aborted) log.warn('a round of upkeep failed', { name, why: reasonOf(error) });
    }
  }
  pause.end();
}

/** Waits again and again until a signal, to which it listens once: that is the dear part of it. */
class Pause {
  readonly #timers: Timers;
  readonly #signal: AbortSignal;
  #cancel: CancelTimer | undefined;
  #reject: ((reason: Error) => void) | undefined;
  #resolve: ((how: 'over' | 'interrupted') => void) | undefined;
  readonly #onAbort = (): void => {
    this.#cancel?.();
    this.#reject?.(abortReason(this.#signal));
  };

  constructor(timers: Timers, signal: AbortSignal) {
    this.#timers = timers;
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Rejects with the signal's reason. One wait at a time. */
  wait(ms: number): Promise<'over' | 'interrupted'> {
    if (this.#signal.aborted) return Promise.reject(abortReason(this.#signal));
    const { promise, resolve, reject } = Promise.withResolvers<'over' | 'interrupted'>();
    this.#reject = reject;
    this.#resolve = resolve;
    this.#cancel = this.#timers.after(ms, () => resolve('over'));
    return promise;
  }

  /** Ends the wait, if there is one. */
  interrupt(): void {
    this.#cancel?.();
    this.#resolve?.('interrupted');
  }

  end(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
  }
}
