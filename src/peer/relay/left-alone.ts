/**
 * Which relays are left alone, and until when: those that gave no place, those that took it back,
 * and those that gave one and passed nothing on. A state machine without timers; it knows relays by
 * name only.
 */
import type { World } from '../../base/clock.ts';
import { type Doubling, nextDelayMs } from '../../base/doubling.ts';
import { LruMap } from '../../base/limits.ts';

interface Fault {
  readonly untilMs: number;
  readonly delayMs: number;
  /** Until when it is left alone even by who has no place at all. */
  readonly urgentMs: number;
}

const minuteMs = 60_000;
/** One that failed is left alone for so long, then ever longer. */
const failedDelays: Doubling = { firstMs: 2000, lastMs: 5 * minuteMs };
/** A relay that says that it ends does not come back at once. */
const leavingMs = 20_000;
/** One that passes nothing on costs each reader time, and takes the part of one that does. */
const uselessDelays: Doubling = { firstMs: 60 * minuteMs, lastMs: 24 * 60 * minuteMs };
/** Who is reached by nobody has nothing to lose. */
const urgentMaxMs = 30_000;
const remembered = 256;

export class LeftAlone {
  readonly #world: Pick<World, 'clock' | 'random'>;
  #failed = new LruMap<string, Fault>(remembered); // BOUNDED by its size
  readonly #useless = new LruMap<string, Fault>(remembered); // BOUNDED by its size

  constructor(world: Pick<World, 'clock' | 'random'>) {
    this.#world = world;
  }

  /** `isUrgent`: there is no place at any other. */
  has(name: string, { isUrgent }: { readonly isUrgent: boolean }): boolean {
    const nowMs = this.#world.clock.monotonicMs();
    const isKept = (fault: Fault | undefined): boolean =>
      fault !== undefined && nowMs < (isUrgent ? fault.urgentMs : fault.untilMs);
    return isKept(this.#failed.peek(name)) || isKept(this.#useless.peek(name));
  }

  /** It gave no place, or took it back soon. */
  failed(name: string): void {
    const before = this.#failed.peek(name)?.delayMs;
    this.#failed.set(name, this.#fault(nextDelayMs(before, failedDelays)));
  }

  /** Its place ended; steady: it had been there for so long that earlier failures do not count. */
  ended(name: string, how: { readonly isLeaving: boolean; readonly isSteady: boolean }): void {
    const before = how.isSteady ? undefined : this.#failed.peek(name)?.delayMs;
    const leastMs = how.isLeaving ? leavingMs : 0;
    const delayMs = Math.max(leastMs, nextDelayMs(before, failedDelays));
    this.#failed.set(name, this.#fault(delayMs));
  }

  /** It passed nothing on. */
  passedNothing(name: string): void {
    const before = this.#useless.peek(name)?.delayMs;
    this.#useless.set(name, this.#fault(nextDelayMs(before, uselessDelays)));
  }

  /** The network was away: that they failed says nothing of them. Who passed nothing on stays. */
  forgive(): void {
    this.#failed = new LruMap(remembered);
  }

  /** One of them answers: so may those again that failed before. It stays what it is itself. */
  forgiveOthers(name: string): void {
    const own = this.#failed.peek(name);
    this.forgive();
    if (own) this.#failed.set(name, own);
  }

  #fault(delayMs: number): Fault {
    const { clock, random } = this.#world;
    const nowMs = clock.monotonicMs();
    const urgentMs = nowMs + Math.min(delayMs, urgentMaxMs * (0.75 + 0.5 * random.fraction()));
    return { untilMs: nowMs + delayMs, delayMs, urgentMs };
  }
}
