/**
 * When a search for providers that led to nobody begins anew: whoever moved tells so while it is
 * dialled in vain, machines that are busy answer late, and a node that has just started knows few
 * others. It searches nothing itself.
 */
import type { Clock } from '../../base/clock.ts';

/** While somebody is dialled, a search begins so long after the one before … */
const dialMinMs = 2000;
/** … then after twice as long each time, up to this. */
const dialMaxMs = 16_000;
/** The same while nobody is: what is not found by then will not be known in a moment … */
const silentMinMs = 500;
/** … and none begins so long after the first one. */
const silentMs = 8000;

export class SearchAgain {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #firstMs: number;
  #searchedMs: number;
  #times = 0;

  /** The first search has ended now. */
  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
    this.#firstMs = clock.monotonicMs();
    this.#searchedMs = this.#firstMs;
  }

  /** Monotonic; Infinity: never. `isConclusive`: enough have answered that there is nobody else. */
  dueMs({
    isDialling,
    isConclusive,
  }: {
    readonly isDialling: boolean;
    readonly isConclusive: boolean;
  }): number {
    const times = 2 ** this.#times;
    if (isDialling) return this.#searchedMs + Math.min(dialMinMs * times, dialMaxMs);
    const dueMs = this.#searchedMs + silentMinMs * times;
    return isConclusive || dueMs > this.#firstMs + silentMs ? Infinity : dueMs;
  }

  /** Another search has ended now. */
  searched(): void {
    this.#times++;
    this.#searchedMs = this.#clock.monotonicMs();
  }
}
