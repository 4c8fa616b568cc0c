/** So many requests a minute from one source: for who sends more, how long it has to wait. */
import type { Clock } from '../../base/clock.ts';
import { LruMap } from '../../base/limits.ts';

const minuteMs = 60_000;
const sourcesMax = 10_000;

export class SourceRate {
  readonly #clock: Clock;
  readonly #perMinute: number;
  // BOUNDED by sourcesMax
  readonly #minutes = new LruMap<string, { readonly startMs: number; count: number }>(sourcesMax);

  constructor(clock: Clock, perMinute: number) {
    this.#clock = clock;
    this.#perMinute = perMinute;
  }

  /** Counts one; seconds to wait when it is one too many, else 0. */
  take(source: string): number {
    const nowMs = this.#clock.monotonicMs();
    const minute = this.#minutes.get(source);
    if (!minute || nowMs - minute.startMs >= minuteMs) {
      this.#minutes.set(source, { startMs: nowMs, count: 1 });
      return 0;
    }
    if (minute.count < this.#perMinute) {
      minute.count++;
      return 0;
    }
    return Math.ceil((minute.startMs + minuteMs - nowMs) / 1000);
  }
}
