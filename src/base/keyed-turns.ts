/**
 * One after the other for each key, for work that would undo or hinder the same work at the same
 * time: records that build on the one before, imports of one folder. Knows nothing of the work.
 */
import { untilAborted } from './abort.ts';
import { AltNetError } from './errors.ts';

export interface TurnsLimit {
  /** What runs or waits, of all keys together. */
  readonly pendingMax: number;
  /** What there is too much of then, for a person who is turned away. */
  readonly what: string;
}

export class KeyedTurns {
  readonly #limit: TurnsLimit | undefined;
  /** By key, what the next one waits for. BOUNDED by pendingMax, or by the callers. */
  readonly #last = new Map<string, Promise<void>>();
  #pending = 0;

  /** Without a limit, its callers must have one. */
  constructor(limit?: TurnsLimit) {
    this.#limit = limit;
  }

  /** How much runs or waits now. */
  get pending(): number {
    return this.#pending;
  }

  /**
   * Settles as `work` does, which begins when all earlier of this key has ended; at once when there
   * is none. Rejects with BUSY, or with the signal's reason when it aborts before the turn comes.
   */
  async run<T>(key: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#limit && this.#pending >= this.#limit.pendingMax) {
      throw new AltNetError('BUSY', { what: this.#limit.what });
    }
    const before = this.#last.get(key);
    const { promise: done, resolve: finish } = Promise.withResolvers<void>();
    const turn = before ? before.then(() => done) : done; // who gives up lets nobody overtake
    this.#last.set(key, turn);
    this.#pending++;
    try {
      if (before) await untilAborted(before, signal);
      signal?.throwIfAborted();
      return await work();
    } finally {
      this.#pending--;
      if (this.#last.get(key) === turn) void turn.then(() => this.#forget(key, turn));
      finish();
    }
  }

  #forget(key: string, turn: Promise<void>): void {
    if (this.#last.get(key) === turn) this.#last.delete(key);
  }
}
