/** So many times in so long, for each of many keys: how much strangers can make us do. */
import type { Clock } from '../../base/clock.ts';
import { LruMap } from '../../base/limits.ts';

export interface PaceLimit {
  readonly countMax: number;
  readonly windowMs: number;
  /** Keys that are remembered: a lower layer bounds how fast one can come up with new ones. */
  readonly keysMax: number;
}

export class Pace {
  readonly #clock: Clock;
  readonly #limit: PaceLimit;
  // BOUNDED by keysMax
  readonly #windows: LruMap<string, { readonly sinceMs: number; count: number }>;

  constructor(clock: Clock, limit: PaceLimit) {
    this.#clock = clock;
    this.#limit = limit;
    this.#windows = new LruMap(limit.keysMax);
  }

  /** Whether it may be done once more now; then it counts as done. */
  take(key: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    const { countMax, windowMs } = this.#limit;
    const known = this.#windows.get(key);
    if (!known || nowMs - known.sinceMs >= windowMs) {
      this.#windows.set(key, { sinceMs: nowMs, count: 1 });
      return true;
    }
    if (known.count >= countMax) return false;
    known.count += 1;
    return true;
  }
}
