/** How long answers take lately, so that a lookup can go on without the slowest. */

const samplesMax = 64;
/** Before anything is known; the transport's first timeout. */
const initialMs = 750;
const floorMs = 50;

export class RoundTrips {
  readonly #samplesMs: number[] = []; // BOUNDED by samplesMax, oldest overwritten
  #next = 0;

  add(rttMs: number): void {
    this.#samplesMs[this.#next] = rttMs;
    this.#next = (this.#next + 1) % samplesMax;
  }

  /** What nine of ten answers took at most: who takes longer is slow. 50–750 ms. */
  slowMs(): number {
    const sorted = this.#samplesMs.toSorted((a, b) => a - b);
    const p90 = sorted[Math.floor(sorted.length * 0.9)] ?? initialMs;
    return Math.min(initialMs, Math.max(floorMs, p90));
  }
}
