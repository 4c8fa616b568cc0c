/**
 * A World whose time stands still until a test moves it, with randomness from a seed. For unit
 * tests of what waits, expires or draws lots. It knows nothing of what runs in it.
 */
import { createHash } from 'node:crypto';
import type { Bytes } from '../../src/base/bytes.ts';
import type { World } from '../../src/base/clock.ts';

export interface ManualWorld extends World {
  /**
   * Moves both clocks on by `ms`, running the timers that fall due in order of their time, also
   * those set meanwhile. Promise reactions run only after it returns.
   */
  advance(ms: number): void;
  /** Like `advance`, but lets promise reactions run after each timer. */
  advanceAsync(ms: number): Promise<void>;
  /** Timers that have neither fired nor been cancelled. */
  pendingTimers(): number;
}

/** Where manual time begins: 2026-01-01, so that record times are plausible. */
const startUnixMs = 1_767_225_600_000;

interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
}

export function manualWorld(seed = 1): ManualWorld {
  let nowMs = 0;
  const timers = new Set<Timer>(); // BOUNDED by the test that sets them

  const nextUntil = (limitMs: number): Timer | undefined => {
    let first: Timer | undefined;
    for (const timer of timers) {
      if (timer.dueMs <= limitMs && (!first || timer.dueMs < first.dueMs)) first = timer;
    }
    return first;
  };
  const fire = (timer: Timer): void => {
    timers.delete(timer);
    nowMs = Math.max(nowMs, timer.dueMs);
    timer.run();
  };

  return {
    clock: { unixMs: () => startUnixMs + nowMs, monotonicMs: () => nowMs },
    timers: {
      after(delayMs, run) {
        const timer: Timer = { dueMs: nowMs + Math.max(0, delayMs), run };
        timers.add(timer);
        return () => timers.delete(timer);
      },
    },
    random: seededRandom(seed),
    pendingTimers: () => timers.size,
    advance(ms) {
      const untilMs = nowMs + ms;
      for (let timer = nextUntil(untilMs); timer; timer = nextUntil(untilMs)) fire(timer);
      nowMs = untilMs;
    },
    async advanceAsync(ms) {
      const untilMs = nowMs + ms;
      await settle();
      for (let timer = nextUntil(untilMs); timer; timer = nextUntil(untilMs)) {
        fire(timer);
        await settle();
      }
      nowMs = untilMs;
    },
  };
}

/** setImmediate comes after every promise reaction that is ready, however long the chain. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The bytes of SHA-256(seed, counter): slow, but the same on every machine. */
function seededRandom(seed: number): World['random'] {
  let counter = 0;
  const block = (): Buffer => createHash('sha256').update(`${seed}/${counter++}`).digest();
  return {
    bytes(length): Bytes {
      const out = new Uint8Array(length);
      for (let at = 0; at < length; at += 32) out.set(block().subarray(0, length - at), at);
      return out;
    },
    fraction: () => block().readUInt32BE(0) / 2 ** 32,
  };
}
