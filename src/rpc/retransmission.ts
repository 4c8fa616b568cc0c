/**
 * Asking until there is an answer: once, and again after each wait but the last. A state machine:
 *
 *   in:  start, `settle` with an answer or an error, timer, abort
 *   out: asked (once for each wait), then exactly one of answer, error, TIMEOUT, abort reason
 *
 * It knows nothing of packets.
 */
import { abortReason } from '../base/abort.ts';
import type { CancelTimer, Timers } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';

export interface Settle<T> {
  answer(value: T): void;
  fail(error: Error): void;
}

/** Sends one question. What it returns ends the wait for that question's answer. */
export type Ask<T> = (settle: Settle<T>) => () => void;

export function askUntilAnswered<T>(
  {
    timers,
    waitsMs,
    what,
    signal,
  }: {
    timers: Timers;
    /** How long to wait after each question. */
    waitsMs: readonly number[];
    what: string;
    signal: AbortSignal;
  },
  ask: Ask<T>,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const ends: (() => void)[] = []; // BOUNDED by waitsMs
  let cancelTimer: CancelTimer | undefined;
  let settled = false;

  const finish = (): void => {
    if (settled) return;
    settled = true;
    cancelTimer?.();
    signal.removeEventListener('abort', onAbort);
    for (const end of ends) end();
  };
  const onAbort = (): void => settle.fail(abortReason(signal));
  const settle: Settle<T> = {
    answer(value) {
      finish();
      resolve(value);
    },
    fail(error) {
      finish();
      reject(error);
    },
  };
  const askOnce = (): void => {
    const end = ask(settle);
    // The question may have failed on the spot, after `finish` went through the others.
    if (settled) return end();
    ends.push(end);
    cancelTimer = timers.after(waitsMs[ends.length - 1] ?? 0, () => {
      if (ends.length < waitsMs.length) askOnce();
      else settle.fail(new AltNetError('TIMEOUT', { what, ms: Math.round(sumOf(waitsMs)) }));
    });
  };

  if (signal.aborted) return Promise.reject(abortReason(signal));
  signal.addEventListener('abort', onAbort, { once: true });
  askOnce();
  return promise;
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0);
}
