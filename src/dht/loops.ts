/** Work that comes round again until it is stopped. */
import { sleep } from '../base/abort.ts';
import type { Timers } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';

export interface Round {
  /** For the log. */
  readonly name: string;
  /** How long to wait before the next round; asked each time. */
  readonly delayMs: () => number;
  /** An error is logged and ends this round only. */
  readonly run: (signal: AbortSignal) => Promise<void>;
}

/** Resolves when `signal` has aborted and the round under way has ended. */
export async function repeat(
  { name, delayMs, run }: Round,
  { timers, log, signal }: { timers: Timers; log: Logger; signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    try {
      await sleep(timers, delayMs(), signal);
      await run(signal);
    } catch (error) {
      if (!signal.aborted) log.warn('a round of upkeep failed', { name, error: String(error) });
    }
  }
}
