/**
 * How often one message may be written: a peer that causes a line over and over must not fill the
 * disk, nor hide what else is in the log. It does not know what a message says.
 */
import type { Clock } from '../base/clock.ts';

/** More lines than one list of bad lines has, at once … */
const burst = 40;
/** … and then one in so many milliseconds. */
const spacingMs = 6000;

interface Allowance {
  tokens: number;
  atMs: number;
  leftOut: number;
}

export class LogLimit {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  /** BOUNDED by the messages in this program, which are constants. */
  readonly #allowances = new Map<string, Allowance>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** Undefined: not now. Else how many were left out since the last that was written. */
  take(message: string): number | undefined {
    const nowMs = this.#clock.monotonicMs();
    let allowance = this.#allowances.get(message);
    if (!allowance) {
      allowance = { tokens: burst, atMs: nowMs, leftOut: 0 };
      this.#allowances.set(message, allowance);
    }
    allowance.tokens = Math.min(burst, allowance.tokens + (nowMs - allowance.atMs) / spacingMs);
    allowance.atMs = nowMs;
    if (allowance.tokens < 1) {
      allowance.leftOut++;
      return undefined;
    }
    allowance.tokens--;
    const { leftOut } = allowance;
    allowance.leftOut = 0;
    return leftOut;
  }
}
