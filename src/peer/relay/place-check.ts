/**
 * Follows one place at a relay: whether others really get through there is tested soon after it was
 * taken, again and again while it fails, and ever less often while it works. How a test goes, and
 * what follows of it, it does not know.
 *
 *   in:  start, a timer, the outcome of a test
 *   out: a test; `onChange` when the place works, or works no more
 */
import { withDeadline } from '../../base/abort.ts';
import type { CancelTimer, World } from '../../base/clock.ts';
import { AltNetError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { reasonOf } from '../../base/reason.ts';

/**
 * unproven: not tested yet, or failed once; working: octets went through; useless: tests failed in
 * a row, although the relay answers.
 */
export type PlaceState = 'unproven' | 'working' | 'useless';

export interface PlaceCheckDeps {
  readonly world: World;
  readonly log: Logger;
  /** Rejects when nothing gets through. */
  readonly probe: (signal: AbortSignal) => Promise<void>;
  readonly onChange: (state: PlaceState) => void;
}

const minuteMs = 60_000;
/** A place that is new is tested after so long: others may come at once. */
const firstMs = 2000;
/** One that works is tested again after so long, then ever later. */
const workingMinMs = minuteMs;
const workingMaxMs = 30 * minuteMs;
/** The same of one that does not: it may have been a bad moment. */
const failedMinMs = 10_000;
const failedMaxMs = 10 * minuteMs;
/** A reader gives up sooner. */
const probeMs = 12_000;
const failuresMax = 2;
/** A relay shall not know when it is tested. */
const [jitterMin, jitterMax] = [0.5, 1.5];

export class PlaceCheck {
  readonly #deps: PlaceCheckDeps;
  readonly #stopping = new AbortController();
  #state: PlaceState = 'unproven';
  #failures = 0;
  #delayMs = workingMinMs;
  #cancel: CancelTimer | undefined;
  #probing: Promise<void> | undefined;

  constructor(deps: PlaceCheckDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#after(firstMs);
  }

  /** Resolves when no test is under way. */
  async stop(): Promise<void> {
    this.#cancel?.();
    this.#stopping.abort(new AltNetError('ABORTED', {}));
    await this.#probing;
  }

  get state(): PlaceState {
    return this.#state;
  }

  #after(ms: number): void {
    const { timers, random } = this.#deps.world;
    const jitter = jitterMin + (jitterMax - jitterMin) * random.fraction();
    this.#cancel = timers.after(ms * jitter, () => {
      this.#probing = this.#probe();
    });
  }

  /** Never rejects. */
  async #probe(): Promise<void> {
    const { world, log, probe } = this.#deps;
    const { signal } = this.#stopping;
    const limits = { timers: world.timers, ms: probeMs, what: 'testing a relay', signal };
    try {
      await withDeadline(limits, probe);
      if (!signal.aborted) this.#passed();
    } catch (error) {
      if (signal.aborted) return;
      log.debug('nothing got through a relay', { why: reasonOf(error) });
      this.#failed();
    }
  }

  #passed(): void {
    this.#delayMs = this.#state === 'working' ? this.#delayMs : workingMinMs;
    this.#failures = 0;
    this.#become('working');
    this.#after(this.#delayMs);
    this.#delayMs = Math.min(2 * this.#delayMs, workingMaxMs);
  }

  #failed(): void {
    this.#failures++;
    if (this.#failures >= failuresMax) this.#become('useless');
    this.#after(Math.min(failedMinMs * 2 ** (this.#failures - 1), failedMaxMs));
  }

  #become(state: PlaceState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#deps.onChange(state);
  }
}
