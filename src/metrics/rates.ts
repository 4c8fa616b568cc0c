/** How fast blocks went in and out lately, for who reads numbers without computing any. */
import type { Clock } from '../base/clock.ts';

export interface Traffic {
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

export interface Rates {
  readonly receivedPerSecond: number;
  readonly sentPerSecond: number;
}

interface Moment extends Traffic {
  readonly atMs: number;
}

/** The mean of about this long. */
const windowMs = 60_000;
export const sampleEveryMs = 10_000;

export class RateMeter {
  readonly #clock: Clock;
  readonly #moments: Moment[] = []; // BOUNDED by windowMs / sampleEveryMs, see sample()

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Every sampleEveryMs. */
  sample(traffic: Traffic): void {
    this.#moments.push({ ...traffic, atMs: this.#clock.monotonicMs() });
    while (this.#moments.length > windowMs / sampleEveryMs) this.#moments.shift();
  }

  /** From the oldest sample until now. */
  rates(traffic: Traffic): Rates {
    const [oldest] = this.#moments;
    const seconds = oldest ? (this.#clock.monotonicMs() - oldest.atMs) / 1000 : 0;
    if (!oldest || seconds < 1) return { receivedPerSecond: 0, sentPerSecond: 0 };
    return {
      receivedPerSecond: Math.round((traffic.receivedBytes - oldest.receivedBytes) / seconds),
      sentPerSecond: Math.round((traffic.sentBytes - oldest.sentBytes) / seconds),
    };
  }
}
