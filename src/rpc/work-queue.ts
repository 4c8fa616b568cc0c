/**
 * Work that a time budget limits: done at once while there is credit, else queued and done when the
 * credit has come back. It knows nothing of what the work is.
 */
import type { CancelTimer, World } from '../base/clock.ts';
import type { DhBudget } from './dh-budget.ts';

/** At half of a core they wait for 200 ms at most: who waits for longer asks again anyway. */
const lengthMax = 256;

export class WorkQueue {
  readonly #world: Pick<World, 'clock' | 'timers'>;
  readonly #budget: DhBudget;
  readonly #queue: (() => void)[] = []; // BOUNDED by lengthMax
  #cancelTimer: CancelTimer | undefined;

  constructor(world: Pick<World, 'clock' | 'timers'>, budget: DhBudget) {
    this.#world = world;
    this.#budget = budget;
  }

  /** Jobs that wait. */
  get length(): number {
    return this.#queue.length;
  }

  /** False when the queue is full and the job was not taken. */
  add(job: () => void): boolean {
    if (this.#queue.length === 0 && this.#budget.waitMs() === 0) {
      this.charge(job);
      return true;
    }
    if (this.#queue.length >= lengthMax) return false;
    this.#queue.push(job);
    this.#schedule();
    return true;
  }

  /** Does the job now, whatever the credit, and charges what it took. */
  charge(job: () => void): void {
    const beganMs = this.#world.clock.monotonicMs();
    job();
    this.#budget.spend(this.#world.clock.monotonicMs() - beganMs);
  }

  /** Drops what waits. */
  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#queue.length = 0;
  }

  #schedule(): void {
    this.#cancelTimer ??= this.#world.timers.after(Math.ceil(this.#budget.waitMs()), () => {
      this.#cancelTimer = undefined;
      while (this.#queue.length > 0 && this.#budget.waitMs() === 0) {
        const job = this.#queue.shift();
        if (job) this.charge(job);
      }
      if (this.#queue.length > 0) this.#schedule();
    });
  }
}
