/**
 * When each root is looked at next: all at different times, each within the interval, and whoever
 * had to wait for others knows it. It holds nothing and asks nobody.
 */
import type { World } from '../../base/clock.ts';
import type { HeldRoot } from '../ports.ts';
import { hashKey } from '../dag/root.ts';

export interface Turn {
  /** Monotonic. */
  dueMs: number;
  /** Holders were missing last time, and a nearer one was left to see to it. */
  waited: boolean;
  /** Holders are being recruited. */
  busy: boolean;
}

/** After a start, or a time without a network, everything is looked at within this long. */
const soonMs = 120_000;

export class Rota {
  readonly #world: World;
  readonly #intervalMs: number;
  readonly #turns = new Map<string, Turn>(); // BOUNDED by the roots that are held, see follow()
  #begun = false;

  constructor(world: World, intervalMs: number) {
    this.#world = world;
    this.#intervalMs = intervalMs;
  }

  /** Takes in what is new and drops what is gone; those of `roots` that are due, longest first. */
  follow(roots: readonly HeldRoot[], countMax: number): readonly HeldRoot[] {
    const nowMs = this.#world.clock.monotonicMs();
    const present = new Set(roots.map(({ hash }) => hashKey(hash)));
    for (const key of this.#turns.keys()) if (!present.has(key)) this.#turns.delete(key);
    for (const key of present) {
      if (this.#turns.has(key)) continue;
      // What has just come was seen to when it came; what was there before the start was not.
      const delayMs = this.#begun ? this.#laterMs() : this.#soonMs();
      this.#turns.set(key, { dueMs: nowMs + delayMs, waited: false, busy: false });
    }
    this.#begun = true;
    return roots
      .filter((root) => this.#isDue(this.of(root), nowMs))
      .toSorted((a, b) => this.of(a).dueMs - this.of(b).dueMs)
      .slice(0, countMax);
  }

  /** The turn of a root that was among `roots`. */
  of({ hash }: Pick<HeldRoot, 'hash'>): Turn {
    return this.#turns.get(hashKey(hash)) ?? { dueMs: Infinity, waited: false, busy: false };
  }

  /** All is well, or everything was done that can be. */
  later(turn: Turn): void {
    turn.waited = false;
    turn.dueMs = this.#world.clock.monotonicMs() + this.#laterMs();
  }

  /** Others are to see to it first, of whom `nearer` stand nearer to the root. */
  afterOthers(turn: Turn, nearer: number): void {
    const stepMs = Math.min(Math.max(this.#intervalMs / 20, 250), 60_000);
    turn.waited = true;
    turn.dueMs = this.#world.clock.monotonicMs() + nearer * stepMs;
  }

  /** Nothing could be learned. */
  soon(turn: Turn): void {
    turn.dueMs = this.#world.clock.monotonicMs() + this.#soonMs();
  }

  /** Everything again, but not all of it at once. */
  hasten(): void {
    const nowMs = this.#world.clock.monotonicMs();
    for (const turn of this.#turns.values()) {
      turn.dueMs = Math.min(turn.dueMs, nowMs + this.#soonMs());
    }
  }

  #isDue(turn: Turn, nowMs: number): boolean {
    return !turn.busy && turn.dueMs <= nowMs;
  }

  #laterMs(): number {
    return this.#intervalMs * (0.5 + 0.5 * this.#world.random.fraction());
  }

  #soonMs(): number {
    return Math.min(this.#intervalMs, soonMs) * this.#world.random.fraction();
  }
}
