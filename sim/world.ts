/**
 * Virtual time: events in order of when they are due, one after another, with all promise
 * reactions in between. The same seed gives the same run, as nothing else decides what comes next.
 */
import type { CancelTimer, World } from '../src/base/clock.ts';
import { type EventAction, EventQueue } from './event-queue.ts';
import { type SeededRandom, seededRandom } from './random.ts';

/** Where virtual time begins: 2026-01-01. */
const startUnixMs = 1_767_225_600_000;

/** Steps of one turn of the event loop. Node drains promises and ticks after each of them. */
const stepsPerTurn = 64;

export class SimWorld {
  readonly random: SeededRandom;
  readonly #queue = new EventQueue();
  #nowMs = 0;
  #events = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  /** Virtual milliseconds since the beginning. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events so far. */
  get events(): number {
    return this.#events;
  }

  after(delayMs: number, run: EventAction): CancelTimer {
    return this.#queue.add(this.#nowMs + Math.max(0, delayMs), run);
  }

  /** Like `after` for what nobody cancels. */
  schedule(delayMs: number, run: EventAction): void {
    this.#queue.push(this.#nowMs + Math.max(0, delayMs), run);
  }

  /** What production code gets of it: one per node, with randomness and a clock of its own. */
  forNode({ clockOffsetMs = 0 }: { clockOffsetMs?: number } = {}): World {
    return {
      clock: {
        unixMs: () => startUnixMs + clockOffsetMs + this.#nowMs,
        monotonicMs: () => this.#nowMs,
      },
      timers: { after: (delayMs, run) => this.after(delayMs, run) },
      random: this.random.fork(),
    };
  }

  /** Lets `ms` pass. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await this.#run(untilMs, () => false);
    this.#nowMs = untilMs;
  }

  /** Lets time pass until `promise` settles, and settles as it does. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    promise.then(mark, mark);
    await this.#run(Number.POSITIVE_INFINITY, () => settled);
    if (!settled) throw new Error('nothing is left to happen, but a promise has not settled');
    return promise;
  }

  #run(untilMs: number, isDone: () => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let ended = false;
    const step = (last: boolean): void => {
      if (ended) return;
      try {
        ended = isDone() || !this.#runNext(untilMs);
      } catch (error) {
        ended = true;
        reject(error);
      }
      if (ended) resolve();
      else if (last) turn();
    };
    const turn = (): void => {
      for (let i = 1; i <= stepsPerTurn; i++) setImmediate(step, i === stepsPerTurn);
    };
    turn();
    return promise;
  }

  /** The next event, and with it all quiet ones before. False when none is left. */
  #runNext(untilMs: number): boolean {
    for (;;) {
      const event = this.#queue.takeUntil(untilMs);
      if (!event) return false;
      this.#events++;
      this.#nowMs = event.dueMs;
      if (event.run?.() !== 'quiet') return true;
    }
  }
}
