/** Token buckets: so many per second, with a burst. One alone, and one per key of a bounded map. */
import type { Clock } from './clock.ts';
import { LruMap } from './limits.ts';

export interface BucketSize {
  readonly perSecond: number;
  readonly burst: number;
}

export class TokenBucket {
  readonly #clock: Clock;
  readonly #size: BucketSize;
  #tokens: number;
  #filledMs: number;

  constructor(clock: Clock, size: BucketSize) {
    this.#clock = clock;
    this.#size = size;
    this.#tokens = size.burst;
    this.#filledMs = clock.monotonicMs();
  }

  /** Takes one token; false when there is none. */
  take(): boolean {
    const nowMs = this.#clock.monotonicMs();
    const { perSecond, burst } = this.#size;
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#filledMs) / 1000) * perSecond);
    this.#filledMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

/**
 * One bucket for each key that was seen lately. A key that is pushed out starts again with a full
 * bucket: who can send from that many addresses must be met by a limit on all together.
 */
export class KeyedBuckets {
  readonly #clock: Clock;
  readonly #size: BucketSize;
  readonly #buckets: LruMap<string, TokenBucket>; // BOUNDED by keysMax

  constructor(clock: Clock, { keysMax, ...size }: BucketSize & { keysMax: number }) {
    this.#clock = clock;
    this.#size = size;
    this.#buckets = new LruMap(keysMax);
  }

  take(key: string): boolean {
    let bucket = this.#buckets.get(key);
    if (!bucket) {
      bucket = new TokenBucket(this.#clock, this.#size);
      this.#buckets.set(key, bucket);
    }
    return bucket.take();
  }
}
