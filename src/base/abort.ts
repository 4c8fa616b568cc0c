/** Waiting that can be given up. Every request settles exactly once and leaves no listener. */
import type { Timers } from './clock.ts';
import { AltNetError } from './errors.ts';

/** What each method that is waited for takes. */
export interface Abortable {
  readonly signal?: AbortSignal | undefined;
}

/** Resolves after `ms`, or rejects with the signal's reason at once when it aborts. */
export function sleep(timers: Timers, ms: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  if (signal?.aborted) {
    reject(abortReason(signal));
    return promise;
  }
  const onAbort = (): void => {
    cancel();
    reject(abortReason(signal));
  };
  const cancel = timers.after(ms, () => {
    signal?.removeEventListener('abort', onAbort);
    resolve();
  });
  signal?.addEventListener('abort', onAbort, { once: true });
  return promise;
}

/** The signal's reason as an Error. */
export function abortReason(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new AltNetError('ABORTED', {});
}

/**
 * What `work` brings, unless the signal aborts first: then it rejects with the signal's reason, and
 * what becomes of the work is nobody's concern. The work itself is not ended.
 */
export async function untilAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (!signal) return work;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(abortReason(signal));
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([aborted, work]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Runs `work` with a signal that aborts on `signal`, or with TIMEOUT after `ms`. */
export async function withDeadline<T>(
  {
    timers,
    ms,
    what,
    signal,
  }: { timers: Timers; ms: number; what: string; signal?: AbortSignal | undefined },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(abortReason(signal));
  signal?.addEventListener('abort', onAbort, { once: true });
  const cancel = timers.after(ms, () => controller.abort(new AltNetError('TIMEOUT', { what, ms })));
  try {
    return await work(controller.signal);
  } finally {
    cancel();
    signal?.removeEventListener('abort', onAbort);
  }
}
