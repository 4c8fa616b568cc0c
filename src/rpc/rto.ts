/** How long to wait for an answer: the 95th percentile of the last round trips, within limits. */

const startMs = 750;
const minMs = 250;
const maxMs = 2000;
/** Enough for a 95th percentile to mean something, few enough to follow a change of network. */
const samplesMax = 100;
const samplesMin = 10;

export class RetransmissionTimeout {
  readonly #samplesMs: number[] = []; // BOUNDED by samplesMax
  #next = 0;

  /** `rttMs` is that of one datagram and its answer, never across a retransmission. */
  observe(rttMs: number): void {
    this.#samplesMs[this.#next] = rttMs;
    this.#next = (this.#next + 1) % samplesMax;
  }

  get ms(): number {
    const count = this.#samplesMs.length;
    if (count < samplesMin) return startMs;
    const sorted = this.#samplesMs.toSorted((a, b) => a - b);
    const p95 = sorted[Math.ceil(count * 0.95) - 1] ?? startMs;
    return Math.min(maxMs, Math.max(minMs, p95));
  }
}
