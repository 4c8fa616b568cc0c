/**
 * What a peer brings, as it was over the last second or so. `Speed` takes the best it has seen, so
 * that enough is asked; who deals out the rest of a fetch must know what can be relied on.
 */
import type { Clock } from '../../base/clock.ts';

/** Blocks come in bursts: shorter samples would say more of these than of the path. */
const sampleMs = 250;
/** After so long two thirds of what was measured before are forgotten. */
const memoryMs = 1000;

export class Rate {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #bytesPerMs: number | undefined;
  #sinceMs: number;
  #bytes = 0;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
  }

  /** Undefined while too little came to say anything. */
  get bytesPerMs(): number | undefined {
    return this.#bytesPerMs;
  }

  /** Something is asked after a time in which nothing was due. */
  begin(): void {
    this.#sinceMs = this.#clock.monotonicMs();
    this.#bytes = 0;
  }

  count(bytes: number): void {
    this.#bytes += bytes;
    const nowMs = this.#clock.monotonicMs();
    const ms = nowMs - this.#sinceMs;
    if (ms < sampleMs) return;
    const rate = this.#bytes / ms;
    const before = this.#bytesPerMs ?? rate;
    this.#bytesPerMs = rate + Math.exp(-ms / memoryMs) * (before - rate);
    this.#sinceMs = nowMs;
    this.#bytes = 0;
  }
}
