/** Seeded randomness, fast and the same on every machine: the generator sfc32. */
import type { Random } from '../src/base/clock.ts';

export interface SeededRandom extends Random {
  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number;
  /** Independent of this one's further draws. */
  fork(): SeededRandom;
  /** Mean 0, deviation 1. */
  normal(): number;
}

export function seededRandom(seed: number): SeededRandom {
  let a = seed | 0;
  let b = 0x9e37_79b9 | 0;
  let c = 0x243f_6a88 | 0;
  let counter = 1;
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 16; i++) next();
  const fraction = (): number => next() / 2 ** 32;
  return {
    fraction,
    bytes: (length) => Uint8Array.from({ length }, () => next() & 255),
    below: (limit) => Math.floor(fraction() * limit),
    fork: () => seededRandom(next()),
    // Box and Muller; 1 − x keeps zero out of the logarithm.
    normal: () => Math.sqrt(-2 * Math.log(1 - fraction())) * Math.cos(2 * Math.PI * fraction()),
  };
}
