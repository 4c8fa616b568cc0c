/**
 * What simulated nodes remember of each other below the DHT, as `rpc` does: who has answered, whose
 * token is still good, and who failed of those that never answered. One table for all nodes and
 * fixed in size: a pair that falls on another's place pushes it out, and counts as strangers again.
 */
import { hashOf } from './latency.ts';

/** As in src/rpc: tokens count as lost after this, a stranger that failed is left alone as long. */
const tokenMs = 5 * 60_000;
const failedMs = 10 * 60_000;

/** Times are kept in tenths of a second, and one bit says which of the two happened. */
const unitMs = 100;
const failedBit = 0x8000_0000;
const placesMax = 2 ** 24;

export type Acquaintance = 'stranger' | 'failed' | 'known' | 'trusted';

export class Acquaintances {
  /** Which pair the place is of, and when what happened. */
  readonly #pairs: Uint32Array;
  readonly #events: Uint32Array;
  readonly #mask: number;

  /** `nodesMax` only decides how much is remembered. */
  constructor(nodesMax: number) {
    let places = 2 ** 14;
    while (places < nodesMax * 512 && places < placesMax) places *= 2;
    this.#pairs = new Uint32Array(places);
    this.#events = new Uint32Array(places);
    this.#mask = places - 1;
  }

  /** 'trusted': has a token of it. 'known': it answered some time. */
  of(from: number, to: number, nowMs: number): Acquaintance {
    const hash = hashOf(from, to);
    const place = hash & this.#mask;
    if (this.#pairs[place] !== checkOf(from, to)) return 'stranger';
    const event = this.#events[place] ?? 0;
    const ageMs = nowMs - (event & ~failedBit) * unitMs;
    if ((event & failedBit) !== 0) return ageMs < failedMs ? 'failed' : 'stranger';
    return ageMs < tokenMs ? 'trusted' : 'known';
  }

  noteAnswered(from: number, to: number, nowMs: number): void {
    this.#note(from, to, Math.floor(nowMs / unitMs));
  }

  /** It never answered: see `of`. Its token, if there was one, is forgotten in any case. */
  noteFailed(from: number, to: number, nowMs: number): void {
    const before = this.of(from, to, nowMs);
    if (before === 'stranger' || before === 'failed') {
      this.#note(from, to, (Math.floor(nowMs / unitMs) | failedBit) >>> 0);
    } else {
      this.#note(from, to, Math.max(0, Math.floor((nowMs - tokenMs) / unitMs)));
    }
  }

  #note(from: number, to: number, event: number): void {
    const place = hashOf(from, to) & this.#mask;
    this.#pairs[place] = checkOf(from, to);
    this.#events[place] = event;
  }
}

/** Never 0, which is an empty place. */
function checkOf(from: number, to: number): number {
  return (hashOf(to ^ 0x5bd1_e995, from) | 1) >>> 0;
}
