/**
 * Notices that this node's own line was out and is back, which changes no address of the machine:
 * nobody answered its requests for a while, and now somebody does. A state machine without timers.
 */

/** Requests so far. */
export interface RequestCounts {
  readonly answered: number;
  readonly unanswered: number;
}

/** One peer that is gone, in a quiet moment, is no line that is out. */
const silentMinMs = 10_000;

export class LineSilence {
  #counts: RequestCounts;
  /** Since when all requests are in vain; undefined while they are not, or there are none. */
  #sinceMs: number | undefined;

  constructor(counts: RequestCounts) {
    this.#counts = counts;
  }

  /** Looked at every few seconds. True when the first answer came after a silence. */
  isOver(counts: RequestCounts, nowMs: number): boolean {
    const isAnswered = counts.answered > this.#counts.answered;
    const isInVain = counts.unanswered > this.#counts.unanswered;
    const sinceMs = this.#sinceMs;
    this.#counts = counts;
    if (isAnswered) this.#sinceMs = undefined;
    else if (isInVain) this.#sinceMs ??= nowMs;
    return isAnswered && sinceMs !== undefined && nowMs - sinceMs >= silentMinMs;
  }
}
