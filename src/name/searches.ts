/**
 * Searches that go on after they have answered: the first safe evidence is handed out, and what
 * comes later is not lost. Knows how long they may take and how many there may be; not what becomes
 * of their results.
 */
import { abortReason, withDeadline } from '../base/abort.ts';
import type { Timers } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';

export interface SearchesOptions {
  /** For a search as a whole. */
  readonly timeoutMs: number;
  /** Searches that go on while nobody waits for them; beyond that, they end with their answer. */
  readonly backgroundMax: number;
}

export interface Search<T> {
  /** For a person who waits in vain. */
  readonly what: string;
  /** Calls `onEnough` at most once, before it resolves. */
  readonly run: (context: { signal: AbortSignal; onEnough: (early: T) => void }) => Promise<T>;
  /** What a search brought in the end that had answered before. Must not reject. */
  readonly onWhole: (whole: T) => Promise<void>;
}

export class Searches<T> {
  readonly #timers: Timers;
  readonly #options: SearchesOptions;
  readonly #stopping = new AbortController();
  readonly #background = new Set<Promise<void>>(); // BOUNDED by backgroundMax

  constructor(timers: Timers, options: SearchesOptions) {
    this.#timers = timers;
    this.#options = options;
  }

  /** Aborts with `stop`. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /**
   * Resolves with what was enough, or with the whole. Until then it ends with `signal`, later only
   * with `stop`. Rejects with TIMEOUT, ABORTED, or like `run`.
   */
  async begin(search: Search<T>, signal: AbortSignal): Promise<T> {
    const { timeoutMs: ms } = this.#options;
    const job = new AbortController();
    const cancel = (): void => job.abort(abortReason(signal));
    signal.throwIfAborted();
    signal.addEventListener('abort', cancel, { once: true });
    const ended = AbortSignal.any([job.signal, this.#stopping.signal]);
    const { promise: enough, resolve: onEnough } = Promise.withResolvers<T>();
    const work = { timers: this.#timers, ms, what: search.what, signal: ended };
    const whole = withDeadline(work, (within) => search.run({ signal: within, onEnough }));
    try {
      const first = await Promise.race([
        whole.then((result) => ({ result, isEarly: false })),
        enough.then((result) => ({ result, isEarly: true })),
      ]);
      if (first.isEarly) this.#finish(whole, search, job);
      return first.result;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  /** Ends all searches; resolves when none is left. */
  async stop(): Promise<void> {
    this.#stopping.abort(new AltNetError('ABORTED', {}));
    await Promise.all(this.#background);
  }

  #finish(whole: Promise<T>, { onWhole }: Search<T>, job: AbortController): void {
    if (this.#background.size >= this.#options.backgroundMax) {
      job.abort(new AltNetError('ABORTED', {}));
    }
    // One that failed after it had answered has done its duty.
    const rest = whole.then(onWhole, () => undefined);
    this.#background.add(rest);
    void rest.then(() => this.#background.delete(rest));
  }
}
