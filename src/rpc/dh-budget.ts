/**
 * The share of one core that answering may take. Work is charged after it is done, so the credit
 * may fall below zero; then it has to refill before there is more work.
 */
import type { Clock } from '../base/clock.ts';

/** Credit that an idle node saves up: a burst of about 100 requests is answered at once. */
const creditMsMax = 25;

export class DhBudget {
  readonly #clock: Clock;
  readonly #share: number;
  #creditMs = creditMsMax;
  #filledMs: number;

  /** `share` in (0, 1]; 1 switches the budget off. */
  constructor(clock: Clock, share: number) {
    this.#clock = clock;
    this.#share = share;
    this.#filledMs = clock.monotonicMs();
  }

  /** 0 when work may begin now, else how long to wait. */
  waitMs(): number {
    if (this.#share >= 1) return 0;
    const nowMs = this.#clock.monotonicMs();
    const refillMs = (nowMs - this.#filledMs) * this.#share;
    this.#creditMs = Math.min(creditMsMax, this.#creditMs + refillMs);
    this.#filledMs = nowMs;
    return this.#creditMs > 0 ? 0 : -this.#creditMs / this.#share + 1;
  }

  spend(ms: number): void {
    this.#creditMs -= ms;
  }
}
