/**
 * How long a round trip between two simulated nodes takes: log-normal over pairs, the same for a
 * pair every time. Derived from the pair and not remembered: ten thousand nodes have fifty million
 * pairs.
 */
import type { SeededRandom } from './random.ts';

export interface LatencyOptions {
  /** Round trips between two nodes are log-normal over pairs: their median … */
  readonly rttMedianMs: number;
  /** … and deviation of the logarithm. */
  readonly rttSigma: number;
}

/** Enough draws that the 99.9th percentile is one of many; a power of two. */
const drawsCount = 16_384;
/** The share of a normal distribution below this many deviations is 95 %. */
const p95Deviations = 1.645;

export class Latencies {
  readonly #rttsMs = new Float64Array(drawsCount);
  readonly #salt: number;
  /** What 95 % of the round trips take at most. */
  readonly p95Ms: number;

  constructor({ rttMedianMs, rttSigma }: LatencyOptions, random: SeededRandom) {
    for (let i = 0; i < drawsCount; i++) {
      this.#rttsMs[i] = rttMedianMs * Math.exp(rttSigma * random.normal());
    }
    this.#salt = random.below(2 ** 31);
    this.p95Ms = rttMedianMs * Math.exp(rttSigma * p95Deviations);
  }

  /** `a` and `b` are numbers of nodes; their order does not matter. */
  rttMs(a: number, b: number): number {
    const low = Math.min(a, b);
    const high = Math.max(a, b);
    return this.#rttsMs[hashOf(low ^ this.#salt, high) & (drawsCount - 1)] ?? 0;
  }
}

/** Two whole numbers, well mixed: the finisher of MurmurHash3 over both. */
export function hashOf(a: number, b: number): number {
  let h = Math.imul(a, 0x9e37_79b1) ^ Math.imul(b, 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
