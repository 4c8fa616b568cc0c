/**
 * What is counted of one site: sums, and each of the last 30 days. Of a day that is over only
 * numbers stay. Pure but for its own state; who visited, it sees as hashes.
 */
import type { Bytes } from '../base/bytes.ts';
import { VisitorSketch } from './visitor-sketch.ts';

/** Days that are told apart, today included. */
export const daysMax = 30;

export interface DayCount {
  /** See utc-day.ts. */
  readonly day: number;
  readonly requests: number;
  readonly bytes: number;
  /** Different ones on that day. */
  readonly visitors: number;
}

export interface SiteTotals {
  readonly requests: number;
  readonly bytes: number;
  /** The sum over the days: who came on two of them counts twice. */
  readonly visitors: number;
  /** Unix seconds. */
  readonly lastSeen: number;
}

export interface Visit {
  readonly day: number;
  readonly bytes: number;
  /** Unix seconds. */
  readonly seen: number;
  /** Undefined for one of whom it is known that the day has counted them. */
  readonly visitor: Bytes | undefined;
}

/** All there is to it, for the codec. */
export interface SiteCountState {
  readonly totals: SiteTotals;
  /** BOUNDED by daysMax. */
  readonly days: readonly DayCount[];
  /** The visitors of the last in that list, as long as the day is not over. */
  readonly sketch: VisitorSketch | undefined;
}

const none: SiteCountState = {
  totals: { requests: 0, bytes: 0, visitors: 0, lastSeen: 0 },
  days: [],
  sketch: undefined,
};

export class SiteCount {
  #totals: { requests: number; bytes: number; visitors: number; lastSeen: number };
  #days: DayCount[]; // BOUNDED by daysMax
  #today: { day: number; requests: number; bytes: number; visitors: number } | undefined;
  #sketch: VisitorSketch | undefined;

  constructor(state: SiteCountState = none) {
    const { totals, days, sketch } = state;
    this.#totals = { ...totals };
    this.#days = [...days];
    this.#sketch = sketch;
    if (sketch) this.#today = this.#days.pop();
  }

  add({ day, bytes, seen, visitor }: Visit): void {
    if (this.#today?.day !== day) this.#begin(day);
    const [totals, today, sketch] = [this.#totals, this.#today, this.#sketch];
    if (!today || !sketch) return;
    totals.requests++;
    totals.bytes += bytes;
    totals.lastSeen = Math.max(totals.lastSeen, seen);
    today.requests++;
    today.bytes += bytes;
    const before = sketch.count;
    if (!visitor || !sketch.add(visitor)) return;
    totals.visitors += sketch.count - before;
    today.visitors += sketch.count - before;
  }

  /**
   * Ends a day that is another than this one: of its visitors only the number stays. False when
   * there was nothing to end.
   */
  close(day: number): boolean {
    const today = this.#today;
    if (!today || today.day === day) return false;
    this.#keep(today);
    this.#today = undefined;
    this.#sketch = undefined;
    return true;
  }

  get totals(): SiteTotals {
    return { ...this.#totals };
  }

  /** Those of the last 30 days up to `day` that had visits, oldest first. */
  days(day: number): readonly DayCount[] {
    const all = this.#today ? [...this.#days, { ...this.#today }] : this.#days;
    return all
      .filter((one) => one.day > day - daysMax && one.day <= day)
      .toSorted((a, b) => a.day - b.day);
  }

  state(): SiteCountState {
    const days = this.#today ? [...this.#days, { ...this.#today }] : [...this.#days];
    return { totals: this.totals, days, sketch: this.#sketch };
  }

  #begin(day: number): void {
    this.close(day);
    // A day that has been, when the clock was put back, is added to.
    const before = this.#days.find((one) => one.day === day);
    const others = this.#days.filter((one) => one !== before);
    this.#days = others.slice(-(daysMax - 1));
    this.#today = before ? { ...before } : { day, requests: 0, bytes: 0, visitors: 0 };
    this.#sketch = new VisitorSketch();
  }

  #keep(today: DayCount): void {
    this.#days = [...this.#days, { ...today }].toSorted((a, b) => a.day - b.day).slice(-daysMax);
  }
}
