/**
 * A secret that is replaced at an interval, and MACs under it. What was made under the secret
 * before is still accepted, so a MAC is valid for at least one interval and at most two.
 */
import { timingSafeEqual } from 'node:crypto';
import type { Bytes } from '../base/bytes.ts';
import type { World } from '../base/clock.ts';
import { hmacSha256 } from '../base/hash.ts';

export class RotatingSecret {
  readonly #world: Pick<World, 'clock' | 'random'>;
  readonly #intervalMs: number;
  #current: Bytes;
  #previous: Bytes | undefined;
  #madeMs: number;

  constructor(world: Pick<World, 'clock' | 'random'>, intervalMs: number) {
    this.#world = world;
    this.#intervalMs = intervalMs;
    this.#current = world.random.bytes(32);
    this.#madeMs = world.clock.monotonicMs();
  }

  /** The first `length` bytes of the MAC under the current secret. */
  mac(length: number, ...parts: readonly Bytes[]): Bytes {
    this.#rotate();
    return hmacSha256(this.#current, ...parts).subarray(0, length);
  }

  /** The MACs that are valid now, current secret first. */
  *validMacs(length: number, ...parts: readonly Bytes[]): Generator<Bytes> {
    yield this.mac(length, ...parts);
    if (this.#previous) yield hmacSha256(this.#previous, ...parts).subarray(0, length);
  }

  #rotate(): void {
    const nowMs = this.#world.clock.monotonicMs();
    const ageMs = nowMs - this.#madeMs;
    if (ageMs < this.#intervalMs) return;
    this.#previous = ageMs < 2 * this.#intervalMs ? this.#current : undefined;
    this.#current = this.#world.random.bytes(32);
    this.#madeMs = nowMs;
  }
}

/** Comparison in a time that does not depend on where the bytes differ. */
export function equalMacs(a: Bytes, b: Bytes): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
