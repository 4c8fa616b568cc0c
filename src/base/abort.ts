/** Waiting that can be given up. Every request settles exactly once and leaves no listener. */
import type { Timers } from './clock.ts';
import { AltNetError } from './errors.ts';

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
