/**
 * When to turn to somebody else: nothing at all came for a while, or no first answer in a longer
 * one. Unlike `Pace` it condemns nobody, so it may be impatient: a site must open although one of
 * those who hold it has just gone to sleep.
 */
import type { CancelTimer, Timers } from '../../base/clock.ts';

export interface SilenceOptions {
  /** Without a single octet. */
  readonly quietMs: number;
  /** Without a first whole frame: drops of octets are no answer. */
  readonly firstFrameMs: number;
}

export const defaultSilence: SilenceOptions = { quietMs: 4000, firstFrameMs: 10_000 };

export class Silence {
  readonly #timers: Timers;
  readonly #options: SilenceOptions;
  readonly #onSilent: () => void;
  #cancelQuiet: CancelTimer | undefined;
  #cancelFirst: CancelTimer | undefined;
  #heard = false;
  #answered = false;

  /** `onSilent` may be called again and again while it lasts. */
  constructor(timers: Timers, options: SilenceOptions, onSilent: () => void) {
    this.#timers = timers;
    this.#options = options;
    this.#onSilent = onSilent;
  }

  /** Begins to wait anew. */
  start(): void {
    this.stop();
    this.#awaitOctets();
    if (!this.#answered) this.#awaitFrame();
  }

  stop(): void {
    this.#cancelQuiet?.();
    this.#cancelFirst?.();
    this.#cancelQuiet = undefined;
    this.#cancelFirst = undefined;
  }

  /** Octets have come. */
  heard(): void {
    this.#heard = true;
  }

  /** A whole frame has come. */
  answered(): void {
    this.#answered = true;
    this.#cancelFirst?.();
    this.#cancelFirst = undefined;
  }

  #awaitOctets(): void {
    this.#heard = false;
    this.#cancelQuiet = this.#timers.after(this.#options.quietMs, () => {
      if (!this.#heard) this.#onSilent();
      this.#awaitOctets();
    });
  }

  #awaitFrame(): void {
    this.#cancelFirst = this.#timers.after(this.#options.firstFrameMs, () => {
      this.#onSilent();
      this.#awaitFrame();
    });
  }
}
