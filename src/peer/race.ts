/**
 * Attempts at the same thing of which one is enough: the next begins when the one before has
 * failed or taken a while, and the first that succeeds ends the others. It does not know what is
 * attempted.
 */
import { abortReason } from '../base/abort.ts';
import type { Timers } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';

export type Attempt<T> = (signal: AbortSignal) => Promise<T>;

export interface RaceOptions {
  readonly timers: Timers;
  /** How long the next attempt waits for the one before. */
  readonly staggerMs: number;
  readonly signal: AbortSignal;
}

/**
 * Rejects with the one failure, or an AggregateError of all in the order of the attempts, or the
 * reason of the signal. The signal of the winner is never aborted: libp2p goes on listening to the
 * signal that a connection was dialled with, and would destroy it.
 */
export async function race<T>(
  attempts: readonly Attempt<T>[],
  { timers, staggerMs, signal }: RaceOptions,
): Promise<T> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const running = new Map<number, AbortController>(); // BOUNDED by the attempts
  const failures: unknown[] = [];
  let [failed, begun, isOver] = [0, 0, false];
  let cancelNext: (() => void) | undefined;
  const begin = (): void => {
    cancelNext?.();
    const attempt = attempts[begun];
    if (isOver || !attempt) return;
    const index = begun++;
    const own = new AbortController();
    running.set(index, own);
    cancelNext = timers.after(staggerMs, begin);
    void run(index, attempt, own.signal);
  };
  const run = async (index: number, attempt: Attempt<T>, own: AbortSignal): Promise<void> => {
    try {
      const value = await attempt(own);
      running.delete(index);
      resolve(value);
    } catch (error) {
      running.delete(index);
      failures[index] = error;
      if (++failed === attempts.length) reject(combined(failures));
      else begin();
    }
  };
  const onAbort = (): void => reject(abortReason(signal));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    begin();
    if (attempts.length === 0) reject(combined([]));
    return await promise;
  } finally {
    isOver = true;
    cancelNext?.();
    signal.removeEventListener('abort', onAbort);
    const reason = new AltNetError('ABORTED', {});
    for (const own of running.values()) own.abort(reason);
  }
}

function combined(failures: readonly unknown[]): unknown {
  return failures.length === 1 ? failures[0] : new AggregateError(failures);
}
