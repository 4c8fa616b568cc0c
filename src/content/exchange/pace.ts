/**
 * A limit on patience: work must bring some bytes within each period, or it is given up. Drops of
 * bytes that keep a plain idle timer alive do not help a peer here.
 */
import type { CancelTimer, Timers } from '../../base/clock.ts';

export interface PaceOptions {
  readonly periodMs: number;
  /** Fewer than this in a period is too slow. */
  readonly bytesMin: number;
}

export const defaultPace: PaceOptions = { periodMs: 30_000, bytesMin: 32 * 1024 };

export class Pace {
  readonly #timers: Timers;
  readonly #options: PaceOptions;
  readonly #onSlow: () => void;
  #bytes = 0;
  #cancel: CancelTimer | undefined;

  constructor(timers: Timers, options: PaceOptions, onSlow: () => void) {
    this.#timers = timers;
    this.#options = options;
    this.#onSlow = onSlow;
  }

  /** Begins a full period. */
  start(): void {
    this.stop();
    this.#bytes = 0;
    this.#cancel = this.#timers.after(this.#options.periodMs, () => {
      if (this.#bytes < this.#options.bytesMin) this.#onSlow();
      else this.start();
    });
  }

  count(bytes: number): void {
    this.#bytes += bytes;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
