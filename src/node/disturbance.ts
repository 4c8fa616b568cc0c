/**
 * Notices that this machine slept, that its clock was set, or that its network changed. Nothing of
 * that is announced to a program, but it shows: the wall clock moves against the monotonic one, a
 * timer fires much too late, other addresses are there, or requests that were all in vain are
 * answered again. What follows, its listener decides.
 */
import type { CancelTimer, World } from '../base/clock.ts';
import { LineSilence, type RequestCounts } from './line-silence.ts';

export type Disturbance =
  /**
   * The wall clock moved by so much more than time passed (negative: back). On Linux the monotonic
   * clock stands still while the machine sleeps, so that sleep looks like a clock that was set.
   */
  | { readonly kind: 'clock'; readonly movedMs: number }
  /** Nothing ran for so long: sleep elsewhere, or a process that was stopped. */
  | { readonly kind: 'pause'; readonly lateMs: number }
  | { readonly kind: 'addresses' }
  /** Somebody answers again, after nobody did for a while: the way into the network was cut. */
  | { readonly kind: 'line' };

const lookMs = 3000;
/** Clocks are slewed and machines are busy: less than this is no disturbance. */
const movedMinMs = 30_000;
const lateMinMs = 30_000;

export interface DisturbanceDeps {
  readonly world: World;
  /** The addresses of this machine, in a form that only changes when they do. */
  readonly addresses: () => string;
  /** Requests to others so far. */
  readonly requests: () => RequestCounts;
  readonly onDisturbance: (what: Disturbance) => void;
}

export class DisturbanceWatch {
  readonly #deps: DisturbanceDeps;
  #cancel: CancelTimer | undefined;
  #wallMs = 0;
  #monotonicMs = 0;
  #addresses = '';
  #silence: LineSilence | undefined;

  constructor(deps: DisturbanceDeps) {
    this.#deps = deps;
  }

  start(): void {
    if (this.#cancel) return;
    this.#addresses = this.#deps.addresses();
    this.#silence = new LineSilence(this.#deps.requests());
    this.#wait();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #wait(): void {
    const { clock, timers } = this.#deps.world;
    this.#wallMs = clock.unixMs();
    this.#monotonicMs = clock.monotonicMs();
    this.#cancel = timers.after(lookMs, () => {
      const seen = this.#look();
      this.#wait();
      for (const what of seen) this.#deps.onDisturbance(what);
    });
  }

  #look(): readonly Disturbance[] {
    const { requests } = this.#deps;
    const { clock } = this.#deps.world;
    const passedMs = clock.monotonicMs() - this.#monotonicMs;
    const movedMs = clock.unixMs() - this.#wallMs - passedMs;
    const lateMs = passedMs - lookMs;
    const before = this.#addresses;
    this.#addresses = this.#deps.addresses();
    const seen: Disturbance[] = [];
    if (Math.abs(movedMs) >= movedMinMs) seen.push({ kind: 'clock', movedMs });
    if (lateMs >= lateMinMs) seen.push({ kind: 'pause', lateMs });
    if (this.#addresses !== before) seen.push({ kind: 'addresses' });
    if (this.#silence?.isOver(requests(), clock.monotonicMs())) seen.push({ kind: 'line' });
    return seen;
  }
}
