/**
 * What time it is, for what must not go wrong with a wrong clock: for how long this node keeps
 * records, and when it signs its own anew. It judges by our clock and by what others say of it.
 *
 * After the clock has moved there are two explanations: the machine slept, or somebody set the
 * clock, rightly or wrongly. The others' clocks tell which. Until enough of them have, and for a
 * while where nobody does, nothing is done that could not be undone.
 */
import type { Clock } from '../../base/clock.ts';
import type { ClockOffset } from './clock-offset.ts';

/** So long after the clock moved, its own word is taken again. */
const doubtMs = 10 * 60_000;

export class NetworkClock {
  readonly #clock: Clock;
  readonly #offset: Pick<ClockOffset, 'seconds' | 'isWrong' | 'forget'>;
  #movedMs = 0;
  #doubtUntilMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, offset: Pick<ClockOffset, 'seconds' | 'isWrong' | 'forget'>) {
    this.#clock = clock;
    this.#offset = offset;
  }

  /** The wall clock moved by so much more than time passed. */
  moved(byMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    // A clock that is set wrong and then right again is where it was.
    this.#movedMs = (nowMs < this.#doubtUntilMs ? this.#movedMs : 0) + byMs;
    this.#doubtUntilMs = nowMs + doubtMs;
    // What was said of our clock was said of the one before.
    this.#offset.forget();
  }

  /** Whether the clock moved lately, and nobody has said yet what time it is. */
  isDoubtful(): boolean {
    const isRecent = this.#clock.monotonicMs() < this.#doubtUntilMs;
    return isRecent && this.#offset.seconds() === undefined;
  }

  /** Unix milliseconds: that of our clock, or where it is known to be wrong, that of the others. */
  unixMs(): number {
    const offsetMs = this.#offset.isWrong() ? (this.#offset.seconds() ?? 0) * 1000 : 0;
    return this.#clock.unixMs() + offsetMs;
  }

  /**
   * The earliest that it may be: what is over by it is over for certain. Others can only make it
   * earlier than our clock, so nobody can talk a node out of what it holds.
   */
  earliestUnixMs(): number {
    const ownMs = this.#clock.unixMs();
    const beforeMs = this.isDoubtful() ? ownMs - this.#movedMs : ownMs;
    return Math.min(ownMs, this.unixMs(), beforeMs);
  }
}
