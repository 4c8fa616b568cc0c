/** Chance that repeats itself: the same seed gives the same throws on every machine. */
import type { Bytes } from '../../src/base/bytes.ts';

export interface Dice {
  /** A whole number from 0 to `count` − 1. */
  below(count: number): number;
  /** True once in `count` times. */
  oneIn(count: number): boolean;
  pick<T>(items: readonly T[]): T;
  bytes(length: number): Bytes;
}

/** Mulberry32: enough for mutations, and it fits in a line. */
export function diceOf(seed: number): Dice {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (count: number): number => next() % count;
  return {
    below,
    oneIn: (count) => below(count) === 0,
    pick: (items) => {
      const item = items[below(items.length)];
      if (item === undefined) throw new RangeError('there is nothing to pick from');
      return item;
    },
    bytes: (length) => Uint8Array.from({ length }, () => next()),
  };
}
