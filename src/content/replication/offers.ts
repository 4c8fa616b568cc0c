/**
 * Offers of one root: as many are under way as copies are missing, and one more for each that is
 * much slower than others. Who dribbles must not keep a publisher waiting; who is as slow as all
 * others, because the way out of here is narrow, is waited for. It knows no frames.
 */
import type { Clock, Timers } from '../../base/clock.ts';
import { AltNetError } from '../../base/errors.ts';
import { Tide } from '../tide.ts';

/** So long nobody counts as late: a node may wait for a place, and look for others. */
const lateAfterMs = 10_000;
/** Late is who is so many times slower than the fastest of the others … */
const slownessMin = 4;
/** … and one more is asked where all are slower than this. */
const bytesPerMsMin = 16;
/** Beyond its time at that speed, an offer may take this long, and all of them twice as long. */
const graceMs = 150_000;
const tickMs = 1000;

/** One node that was asked. */
export class Offering {
  readonly #clock: Clock;
  readonly #cut = new AbortController();
  #begunMs: number | undefined;
  #endedMs: number | undefined;
  #bytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Aborts when it is no longer waited for. */
  get signal(): AbortSignal {
    return this.#cut.signal;
  }

  /** From now on time counts. */
  begin(): void {
    this.#begunMs = this.#clock.monotonicMs();
  }

  /** So many bytes it has by now. */
  has(bytes: number): void {
    this.#bytes = bytes;
  }

  end(): void {
    this.#endedMs = this.#clock.monotonicMs();
  }

  cut(): void {
    this.#cut.abort(new AltNetError('ABORTED', {}));
  }

  get runsForMs(): number {
    if (this.#begunMs === undefined) return 0;
    return (this.#endedMs ?? this.#clock.monotonicMs()) - this.#begunMs;
  }

  get bytesPerMs(): number {
    return this.#bytes / Math.max(this.runsForMs, 1);
  }

  get isHopeless(): boolean {
    return this.runsForMs > patienceMs(this.#bytes);
  }
}

function patienceMs(bytes: number): number {
  return graceMs + bytes / bytesPerMsMin;
}

export interface OffersJob<C> {
  readonly candidates: readonly C[];
  /** Of all blocks. */
  readonly bytes: number;
  /** Copies that are still to be made. */
  readonly missing: () => number;
  /**
   * Asks one node; true when it made a copy just now. Resolves also when it is cut short; rejects
   * with what ends all of them.
   */
  readonly ask: (to: C, offering: Offering) => Promise<boolean>;
}

/** Resolves when there are enough, or nobody is left to ask. */
export async function offerUntilEnough<C>(
  { candidates, bytes, missing, ask }: OffersJob<C>,
  { clock, timers }: { readonly clock: Clock; readonly timers: Timers },
): Promise<void> {
  const queue = [...candidates];
  const running = new Set<Offering>(); // BOUNDED by twice the copies that are missing
  const made: Offering[] = []; // BOUNDED by the copies that are wanted
  const failures: unknown[] = []; // BOUNDED by `candidates`
  const change = new Tide();
  const endMs = clock.monotonicMs() + 2 * patienceMs(bytes);
  const run = async (to: C, offering: Offering): Promise<void> => {
    try {
      if (await ask(to, offering)) made.push(offering);
    } catch (error) {
      failures.push(error);
      queue.length = 0;
    }
    offering.end();
    running.delete(offering);
    change.rise();
  };
  for (;;) {
    const places = missing() + Math.min(moreFor([...running], made), missing());
    for (const to of queue.splice(0, Math.max(places - running.size, 0))) {
      const offering = new Offering(clock);
      running.add(offering);
      void run(to, offering);
    }
    const isOver = missing() <= 0 || clock.monotonicMs() > endMs;
    if (isOver) queue.length = 0;
    for (const one of running) if (isOver || one.isHopeless) one.cut();
    if (running.size === 0) break;
    const cancel = timers.after(tickMs, () => change.rise());
    await change.next().finally(cancel);
  }
  if (failures.length > 0) throw failures[0];
}

/** How many more than copies are missing are asked at the same time. */
function moreFor(running: readonly Offering[], made: readonly Offering[]): number {
  const aged = running.filter(({ runsForMs }) => runsForMs > lateAfterMs);
  const isLate = (one: Offering): boolean =>
    [...running, ...made].some(
      (other) => other !== one && other.bytesPerMs > one.bytesPerMs * slownessMin,
    );
  const late = aged.filter(isLate).length;
  if (late > 0) return late;
  const areAllSlow =
    aged.length > 0 && running.every(({ bytesPerMs }) => bytesPerMs < bytesPerMsMin);
  return areAllSlow ? 1 : 0;
}
