/** How long answers take lately, so that a lookup can go on without the slowest. */

const samplesMax = 64;
/** Before anything is known; the transport's first timeout. */
const initialMs = 750;
const floorMs = 50;
/** Round trips to one node differ by less, unless a datagram was lost. */
const ownTimes = 2.5;

export class RoundTrips {
  readonly #samplesMs: number[] = []; // BOUNDED by samplesMax, oldest overwritten
  #next = 0;
  /** Until so many more samples came, the last percentile is good enough. */
  #freshFor = 0;
  #slowMs = initialMs;

  add(rttMs: number): void {
    this.#samplesMs[this.#next] = rttMs;
    this.#next = (this.#next + 1) % samplesMax;
    this.#freshFor--;
  }

  /** What nine of ten answers took at most: who takes longer is slow. 50–750 ms. */
  slowMs(): number {
    if (this.#freshFor > 0) return this.#slowMs;
    const sorted = this.#samplesMs.toSorted((a, b) => a - b);
    const p90 = sorted[Math.floor(sorted.length * 0.9)] ?? initialMs;
    this.#slowMs = Math.min(initialMs, Math.max(floorMs, p90));
    this.#freshFor = sorted.length >> 2;
    return this.#slowMs;
  }
}

/** The same for a node whose last round trip is known: it is slow when it takes much longer. */
export function slowForMs(slowMs: number, lastMs: number | undefined): number {
  return lastMs === undefined ? slowMs : Math.min(slowMs, Math.max(floorMs, ownTimes * lastMs));
}
