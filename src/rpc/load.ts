/**
 * Whether more handshakes are asked of this node than it should do: then INITs need a cookie. It
 * only measures; the responder acts.
 */
import type { CancelTimer, World } from '../base/clock.ts';

const lagMsMax = 50;
const queuedMax = 128;
const probeMs = 100;
/** One late probe must not switch load off between two probes. */
const lagHoldMs = 1000;

export class LoadGauge {
  readonly #world: Pick<World, 'clock' | 'timers'>;
  /** When the last INITs came, as a ring: full and its oldest young means too many. */
  readonly #cameMs: Float64Array; // BOUNDED by handshakesPerSecondMax
  #next = 0;
  #laggedMs: number = Number.NEGATIVE_INFINITY;
  #cancelProbe: CancelTimer | undefined;
  #busySinceProbe = false;

  constructor(world: Pick<World, 'clock' | 'timers'>, handshakesPerSecondMax: number) {
    this.#world = world;
    this.#cameMs = new Float64Array(handshakesPerSecondMax).fill(Number.NEGATIVE_INFINITY);
  }

  /**
   * Counts an INIT that is to be opened now or after a cookie: a flood that cookies keep from the
   * handshake still counts, else it would be let in again a second later. While there are any, the
   * event loop's lag is probed: that of the thread that does the handshakes.
   */
  noteArrival(): void {
    this.#cameMs[this.#next] = this.#world.clock.monotonicMs();
    this.#next = (this.#next + 1) % this.#cameMs.length;
    this.#busySinceProbe = true;
    if (!this.#cancelProbe) this.#probe();
  }

  underLoad(queued: number): boolean {
    const nowMs = this.#world.clock.monotonicMs();
    const oldestMs = this.#cameMs[this.#next] ?? Number.NEGATIVE_INFINITY;
    return queued > queuedMax || nowMs - oldestMs < 1000 || nowMs - this.#laggedMs < lagHoldMs;
  }

  stop(): void {
    this.#cancelProbe?.();
    this.#cancelProbe = undefined;
  }

  /** A timer that fires late shows that something else held the event loop for that long. */
  #probe(): void {
    const dueMs = this.#world.clock.monotonicMs() + probeMs;
    this.#busySinceProbe = false;
    this.#cancelProbe = this.#world.timers.after(probeMs, () => {
      this.#cancelProbe = undefined;
      const nowMs = this.#world.clock.monotonicMs();
      if (nowMs - dueMs > lagMsMax) this.#laggedMs = nowMs;
      if (this.#busySinceProbe) this.#probe();
    });
  }
}
