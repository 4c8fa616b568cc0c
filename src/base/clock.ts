/**
 * Time, timers and randomness as arguments. Protocol code receives these and never asks the
 * system itself, so that the simulator can run it in virtual time from a seed.
 */
import { randomBytes as systemRandomBytes } from 'node:crypto';
import type { Bytes } from './bytes.ts';

export interface Clock {
  /** Wall clock: milliseconds since 1970, may jump. For what records say of time. */
  unixMs(): number;
  /** Milliseconds since some fixed moment; never goes back. For durations. */
  monotonicMs(): number;
}

/** Ends the timer it came from; harmless when that has already fired. */
export type CancelTimer = () => void;

export interface Timers {
  /** Calls `run` once, `delayMs` from now. A timer never keeps the process alive. */
  after(delayMs: number, run: () => void): CancelTimer;
}

export interface Random {
  /** `length` unpredictable bytes. */
  bytes(length: number): Bytes;
  /** Uniform in [0, 1). For jitter and choice, never for secrets. */
  fraction(): number;
}

/** The three together, as most protocol modules want them. */
export interface World {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
}

export function unixSeconds(clock: Pick<Clock, 'unixMs'>): number {
  return Math.floor(clock.unixMs() / 1000);
}

export const systemWorld: World = {
  clock: { unixMs: () => Date.now(), monotonicMs: () => performance.now() },
  timers: {
    after(delayMs, run) {
      const timer = setTimeout(run, delayMs);
      timer.unref();
      return () => clearTimeout(timer);
    },
  },
  random: {
    bytes: (length) => new Uint8Array(systemRandomBytes(length)),
    fraction: () => Math.random(),
  },
};
