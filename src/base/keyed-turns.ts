/**
 * One after the other for each name, for work that would undo or hinder the same work at the same
 * time: records that build on the one before, imports of one folder. Knows nothing of the work.
 */
import { abortReason } from './abort.ts';
import { AltNetError } from './errors.ts';

export class KeyedTurns {
  readonly #waitingMax: number;
  /** By name, what the next one waits for. BOUNDED by waitingMax. */
  readonly #last = new Map<string, Promise<void>>();
  #waiting = 0;

  constructor(waitingMax: number) {
    this.#waitingMax = waitingMax;
  }

  /** Rejects with BUSY, with the signal's reason while it waits, or like `work`. */
  async run<T>(name: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= this.#waitingMax) throw new AltNetError('BUSY', { what: name });
    const before = this.#last.get(name);
    const { promise: done, resolve: finish } = Promise.withResolvers<void>();
    const turn = before ? before.then(() => done) : done; // who gives up lets nobody overtake
    this.#last.set(name, turn);
    this.#waiting++;
    try {
      if (before) await reached(before, signal);
      signal?.throwIfAborted();
      return await work();
    } finally {
      this.#waiting--;
      if (this.#last.get(name) === turn) void turn.then(() => this.#forget(name, turn));
      finish();
    }
  }

  #forget(name: string, turn: Promise<void>): void {
    if (this.#last.get(name) === turn) this.#last.delete(name);
  }
}

async function reached(turn: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  const { promise: given, reject: giveUp } = Promise.withResolvers<never>();
  const onAbort = (): void => giveUp(abortReason(signal));
  if (signal?.aborted) throw abortReason(signal);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([turn, given]);
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}
