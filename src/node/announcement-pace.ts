/**
 * When new addresses are to be announced: at once where nothing that was announced leads here any
 * more, else soon; and never so often that whoever makes them change has this node send all that
 * it provides without end. It knows no addresses and sets no timers.
 */
import type { Clock } from '../base/clock.ts';

/**
 * now: of what was announced nothing leads here any more. soon: there is another way. later: one is
 * gone, and others that were announced still lead here.
 */
export type Urgency = 'now' | 'soon' | 'later';

/**
 * So long others may follow, to be announced as one. A relay that is gone is mostly replaced by
 * then, and meanwhile nobody misses it who may use the other one.
 */
const settleMs: Readonly<Record<Urgency, number>> = { now: 0, soon: 1000, later: 5000 };
/** So many announcements may go out in a row … */
const allowanceMax = 8;
/** … and one more after so long each. */
const refillMs = 60_000;
/** The last ones are kept for when nobody would find the way here without. */
const keptForUrgent = 3;

export class AnnouncementPace {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #allowance = allowanceMax;
  /** When the allowance was that. */
  #countedMs: number;
  /** When the next announcement is due, if the allowance is enough. */
  #dueMs: number;
  #isUrgent = false;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
    this.#countedMs = clock.monotonicMs();
    this.#dueMs = this.#countedMs;
  }

  /** A change that is less urgent than one before puts nothing off. */
  changed(urgency: Urgency): void {
    this.#dueMs = Math.min(this.#dueMs, this.#clock.monotonicMs() + settleMs[urgency]);
    this.#isUrgent ||= urgency === 'now';
  }

  /** How long until the next look at the addresses. */
  waitMs(): number {
    const missing = (this.#isUrgent ? 1 : keptForUrgent + 1) - this.#count();
    return Math.max(0, this.#dueMs - this.#clock.monotonicMs(), Math.ceil(missing * refillMs));
  }

  /** The addresses have been looked at; without a change they are again after `nextMs`. */
  looked(nextMs: number): void {
    this.#dueMs = this.#clock.monotonicMs() + nextMs;
    this.#isUrgent = false;
  }

  /** Something is being announced. */
  spend(): void {
    this.#allowance = Math.max(0, this.#count() - 1);
  }

  #count(): number {
    const nowMs = this.#clock.monotonicMs();
    const gained = (nowMs - this.#countedMs) / refillMs;
    this.#allowance = Math.min(allowanceMax, this.#allowance + gained);
    this.#countedMs = nowMs;
    return this.#allowance;
  }
}
