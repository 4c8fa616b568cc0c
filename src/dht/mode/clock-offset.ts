/**
 * How far our clock is from that of the network: the median of what the nodes whom we asked say.
 * Nothing is set by it; a node whose clock is wrong learns so, and is no server meanwhile.
 */
import type { ReplyInfo } from '../ports.ts';
import { type Voter, Voters } from './voters.ts';

export interface ClockOffsetOptions {
  /** Below so many clocks nothing is said. */
  readonly clocksMin: number;
  /** The last so many are remembered. */
  readonly clocksMax: number;
  /** From here on a clock is wrong. */
  readonly offsetSecondsMax: number;
}

export const clockOffsetDefaults: ClockOffsetOptions = {
  clocksMin: 8,
  clocksMax: 32,
  offsetSecondsMax: 300,
};

/** Clocks tell whole seconds: on average half of one has passed since. */
const meanFractionSeconds = 0.5;

export class ClockOffset {
  readonly #options: ClockOffsetOptions;
  readonly #clocks: Voters<number>;

  constructor(options: ClockOffsetOptions = clockOffsetDefaults) {
    this.#options = options;
    this.#clocks = new Voters({ votersMax: options.clocksMax, network: 'narrow' });
  }

  /** `unixMs` is our clock when the answer came. */
  add(
    voter: Voter,
    { unixTime, rttMs }: Pick<ReplyInfo, 'unixTime' | 'rttMs'>,
    unixMs: number,
  ): void {
    const answeredSeconds = (unixMs - rttMs / 2) / 1000;
    this.#clocks.hear(voter, unixTime + meanFractionSeconds - answeredSeconds);
  }

  /** What to add to our clock to get the network's; undefined while too few said theirs. */
  seconds(): number | undefined {
    const offsets = this.#clocks.values();
    if (offsets.length < this.#options.clocksMin) return undefined;
    const sorted = offsets.toSorted((a, b) => a - b);
    const middle = sorted.length / 2;
    const low = sorted[Math.ceil(middle) - 1] ?? 0;
    const high = sorted[Math.floor(middle)] ?? 0;
    return (low + high) / 2;
  }

  /** What was said is of a clock that is no more. */
  forget(): void {
    this.#clocks.forget();
  }

  isWrong(): boolean {
    return Math.abs(this.seconds() ?? 0) >= this.#options.offsetSecondsMax;
  }
}
