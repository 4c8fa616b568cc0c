/**
 * How fast a peer sends, and so how much is asked of it ahead: enough to keep the path full, and no
 * more than it brings in about a second, as what was asked cannot be taken back.
 */
import type { Clock } from '../../base/clock.ts';

/** Without measurement: two answers, so that one is under way when the other ends. */
const windowBytesFirst = 1024 * 1024;
/** Of the slowest: fills 80 ms at 50 Mbit/s. */
const windowBytesMin = 512 * 1024;
/** Fills 80 ms at 800 Mbit/s. */
const windowBytesMax = 8 * 1024 * 1024;
const windowMs = 1000;
const sampleMs = 200;
/** How much of the new rate one sample makes up, where it is lower. */
const weight = 0.4;

export class Speed {
  readonly #clock: Clock;
  #bytesPerMs: number | undefined;
  #sampleBytes = 0;
  #sampleSinceMs: number;
  #heardMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#heardMs = clock.monotonicMs();
    this.#sampleSinceMs = this.#heardMs;
  }

  /** Something is asked after a time in which nothing was due. */
  begin(): void {
    this.#heardMs = this.#clock.monotonicMs();
    this.#sampleSinceMs = this.#heardMs;
    this.#sampleBytes = 0;
  }

  count(bytes: number): void {
    const now = this.#clock.monotonicMs();
    this.#heardMs = now;
    this.#sampleBytes += bytes;
    const ms = now - this.#sampleSinceMs;
    if (ms < sampleMs) return;
    const rate = this.#sampleBytes / ms;
    const before = this.#bytesPerMs ?? rate;
    // A path that has just been opened becomes faster with each round trip.
    this.#bytesPerMs = rate > before ? rate : before + weight * (rate - before);
    this.#sampleSinceMs = now;
    this.#sampleBytes = 0;
  }

  get windowBytes(): number {
    if (this.#bytesPerMs === undefined) return windowBytesFirst;
    const bytes = this.#bytesPerMs * windowMs;
    return Math.min(Math.max(bytes, windowBytesMin), windowBytesMax);
  }

  /** Since the last block, or since something was asked. */
  get quietMs(): number {
    return this.#clock.monotonicMs() - this.#heardMs;
  }

  /** How long `bytes` may take; undefined while nothing is known. */
  etaMs(bytes: number): number | undefined {
    const ms = this.idleEtaMs(bytes);
    return ms === undefined ? undefined : Math.max(ms, this.quietMs);
  }

  /** The same while nothing is due: that nothing came lately says nothing. */
  idleEtaMs(bytes: number): number | undefined {
    if (this.#bytesPerMs === undefined || this.#bytesPerMs === 0) return undefined;
    return bytes / this.#bytesPerMs;
  }
}
