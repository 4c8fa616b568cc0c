/**
 * Questions that no resolver could answer a moment ago (RFC 9520): whoever asks again is told so at
 * once, for some seconds, instead of having all resolvers asked again. It knows nothing of why.
 */
import type { Clock } from '../../base/clock.ts';
import { type Doubling, nextDelayMs } from '../../base/doubling.ts';
import { LruMap } from '../../base/limits.ts';

interface Failure {
  readonly rcode: number;
  /** Monotonic. */
  readonly untilMs: number;
  readonly delayMs: number;
}

const delays: Doubling = {
  firstMs: 2000, // RFC 9520, 3.2: at least 1 s, at first 5 s at most, then longer each time …
  lastMs: 30_000, // … up to this: sooner than its user gives up for good
};
const rememberedMax = 1024;

export class FailedQuestions {
  readonly #clock: Clock;
  #failures = new LruMap<string, Failure>(rememberedMax); // BOUNDED by its size

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The code of the failure; undefined when it may be asked. */
  get(key: string): number | undefined {
    const failure = this.#failures.get(key);
    return failure && this.#clock.monotonicMs() < failure.untilMs ? failure.rcode : undefined;
  }

  failed(key: string, rcode: number): void {
    const delayMs = nextDelayMs(this.#failures.peek(key)?.delayMs, delays);
    this.#failures.set(key, { rcode, delayMs, untilMs: this.#clock.monotonicMs() + delayMs });
  }

  answered(key: string): void {
    this.#failures.delete(key);
  }

  /** A resolver that was silent, or is new, answers: so may other questions be answered. */
  forget(): void {
    this.#failures = new LruMap(rememberedMax);
  }
}
