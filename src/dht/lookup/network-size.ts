/** How many nodes there are, judged by how dense lookups find them. */
import type { Bytes } from '../../base/bytes.ts';
import type { Contact } from '../../identity/contact.ts';
import { distanceShare, sameId } from '../distance.ts';

const samplesMax = 32;
/** One lookup misjudges by a fifth or more; the median of so many by half of that. */
const samplesMin = 8;

interface Sample {
  readonly target: Bytes;
  readonly estimate: number;
}

export class NetworkSize {
  readonly #k: number;
  /** Of the last lookups, one for each target, oldest first. BOUNDED by samplesMax */
  readonly #samples: Sample[] = [];
  #median: number | undefined;

  constructor(k: number) {
    this.#k = k;
  }

  /**
   * Learns from a finished lookup: when the k nearest of N nodes lie within a share s of the ID
   * space, N ≈ k / s. A network with fewer than k servers is counted, not estimated. A target that
   * is looked up again and again counts once: who crowds one key moves one sample of 32.
   */
  add(target: Bytes, closest: readonly Contact[]): void {
    const before = this.#samples.findIndex((sample) => sameId(sample.target, target));
    if (before >= 0) this.#samples.splice(before, 1);
    else if (this.#samples.length >= samplesMax) this.#samples.shift();
    this.#samples.push({ target, estimate: this.#estimate(target, closest) });
    this.#median = undefined;
  }

  /** Whether there are so few targets yet that one of them moves the estimate far. */
  get isVague(): boolean {
    return this.#samples.length < samplesMin;
  }

  /** The median over the last 32 targets; undefined before the first. */
  estimate(): number | undefined {
    if (this.#samples.length === 0) return undefined;
    this.#median ??= medianOf(this.#samples.map(({ estimate }) => estimate));
    return this.#median;
  }

  #estimate(target: Bytes, closest: readonly Contact[]): number {
    const last = closest[this.#k - 1];
    return last ? Math.round(this.#k / distanceShare(target, last.id)) : closest.length + 1;
  }
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 1;
}
