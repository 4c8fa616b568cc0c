/**
 * How long to wait for an answer before asking again, and then before giving up: by what this peer
 * took before, else by what most peers take.
 */
import { LruMap } from '../base/limits.ts';

const startMs = 750;
/** A peer's own pace counts down to here: less would ask twice whenever a machine is busy. */
const peerMinMs = 150;
const minMs = 250;
const maxMs = 2000;
/** Enough for a 95th percentile to mean something, few enough to follow a change of network. */
const samplesMax = 100;
const samplesMin = 10;
const peersMax = 4096;

/** As TCP does (RFC 6298): the smoothed round trip, and how far from it they usually are. */
interface Pace {
  readonly meanMs: number;
  readonly deviationMs: number;
}

export class RetransmissionTimeout {
  readonly #samplesMs: number[] = []; // BOUNDED by samplesMax
  readonly #paces = new LruMap<string, Pace>(peersMax); // BOUNDED by its size
  #next = 0;

  /**
   * `rttMs` is that of one datagram and its answer, never across a retransmission; `peer` is the
   * address that answered.
   */
  observe(rttMs: number, peer: string): void {
    this.#samplesMs[this.#next] = rttMs;
    this.#next = (this.#next + 1) % samplesMax;
    this.#paces.set(peer, paceAfter(this.#paces.get(peer), rttMs));
  }

  /**
   * One wait for each time that a peer is asked. The last one is no shorter than for a stranger: to
   * give somebody up wrongly costs more than to wait.
   */
  waitsMs(peer: string): readonly number[] {
    const strangerMs = this.#strangerMs();
    const pace = this.#paces.get(peer);
    if (!pace) return [strangerMs, strangerMs];
    const ownMs = clamp(pace.meanMs + 4 * pace.deviationMs, peerMinMs);
    return [ownMs, Math.max(ownMs, strangerMs)];
  }

  /** The 95th percentile of the last round trips, within limits. */
  #strangerMs(): number {
    const count = this.#samplesMs.length;
    if (count < samplesMin) return startMs;
    const sorted = this.#samplesMs.toSorted((a, b) => a - b);
    return clamp(sorted[Math.ceil(count * 0.95) - 1] ?? startMs, minMs);
  }
}

/** The weights of RFC 6298: an eighth for the round trip, a quarter for its deviation. */
function paceAfter(before: Pace | undefined, rttMs: number): Pace {
  if (!before) return { meanMs: rttMs, deviationMs: rttMs / 2 };
  const deviationMs = before.deviationMs * 0.75 + Math.abs(rttMs - before.meanMs) * 0.25;
  return { meanMs: before.meanMs * 0.875 + rttMs * 0.125, deviationMs };
}

function clamp(ms: number, lowestMs: number): number {
  return Math.min(maxMs, Math.max(lowestMs, ms));
}
