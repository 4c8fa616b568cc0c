/** How many nodes there are, judged by how dense lookups find them. */
import type { Bytes } from '../base/bytes.ts';
import type { Contact } from '../identity/contact.ts';
import { distanceShare } from './distance.ts';

const samplesMax = 32;

export class NetworkSize {
  readonly #k: number;
  readonly #samples: number[] = []; // BOUNDED by samplesMax, oldest overwritten
  #next = 0;

  constructor(k: number) {
    this.#k = k;
  }

  /**
   * Learns from a finished lookup: when the k nearest of N nodes lie within a share s of the ID
   * space, N ≈ k / s. A network with fewer than k servers is counted, not estimated.
   */
  add(target: Bytes, closest: readonly Contact[]): void {
    const last = closest[this.#k - 1];
    const estimate = last ? this.#k / distanceShare(target, last.id) : closest.length + 1;
    this.#samples[this.#next] = estimate;
    this.#next = (this.#next + 1) % samplesMax;
  }

  /** The median of the last 32 lookups; 1 before the first. */
  estimate(): number {
    const sorted = this.#samples.toSorted((a, b) => a - b);
    return Math.max(1, Math.round(sorted[sorted.length >> 1] ?? 1));
  }
}
