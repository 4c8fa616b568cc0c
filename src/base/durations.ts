/**
 * How long things took, as counts of a few ranges: cheap to add to, wherever it happens, and whole
 * when somebody asks. It knows neither what is measured nor who asks.
 */

export interface DurationsSnapshot {
  /** Upper bounds of the ranges in seconds, ascending, each within its range. */
  readonly bounds: readonly number[];
  /** Of each range; one more than bounds: the last is for what took longer than all. */
  readonly counts: readonly number[];
  readonly sumSeconds: number;
}

export class Durations {
  readonly #bounds: readonly number[];
  readonly #counts: number[]; // BOUNDED by #bounds
  #sumSeconds = 0;

  /** `bounds`: ascending. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  /** `times`: so many that took so long. */
  add(seconds: number, times = 1): void {
    let range = 0;
    while (range < this.#bounds.length && seconds > (this.#bounds[range] ?? Infinity)) range++;
    this.#counts[range] = (this.#counts[range] ?? 0) + times;
    this.#sumSeconds += seconds * times;
  }

  /** As a copy. */
  snapshot(): DurationsSnapshot {
    return { bounds: this.#bounds, counts: [...this.#counts], sumSeconds: this.#sumSeconds };
  }
}
