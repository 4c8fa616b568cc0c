/**
 * How much of other nodes' wishes a keeper listens to: streams, questions and offers by peer and by
 * the network it comes from, and how many copies are made at the same time. It reads no frames.
 */
import { withDeadline } from '../../base/abort.ts';
import { type Bytes, toHex } from '../../base/bytes.ts';
import type { Clock, Timers } from '../../base/clock.ts';
import { SourceRate } from '../../dht/holding/source-rate.ts';
import { networkOf } from '../../peer/address.ts';
import { StreamSlots } from '../exchange/stream-slots.ts';

export interface AdmissionOptions {
  /** Streams at the same time: in all, and of one peer. */
  readonly streamsMax: number;
  readonly streamsPerPeerMax: number;
  readonly questionsPerMinute: number;
  readonly offersPerMinute: number;
  /** Copies that are made at the same time, in all and for one peer … */
  readonly pullsMax: number;
  readonly pullsPerPeerMax: number;
  /** … and how many wait for that, in all and of one peer, for how long. */
  readonly waitingMax: number;
  readonly waitingPerPeerMax: number;
  readonly waitMs: number;
}

export const admissionDefaults: AdmissionOptions = {
  streamsMax: 128,
  streamsPerPeerMax: 12,
  questionsPerMinute: 120,
  offersPerMinute: 120,
  pullsMax: 6,
  pullsPerPeerMax: 2,
  waitingMax: 32,
  waitingPerPeerMax: 4,
  waitMs: 10_000,
};

/** What four peers may, all of one network may together. */
const peersPerNetwork = 4;

export class Admission {
  readonly #options: AdmissionOptions;
  readonly #timers: Timers;
  readonly #rates: Readonly<
    Record<'question' | 'offer', { peer: SourceRate; network: SourceRate }>
  >;
  readonly #streams = new Map<string, number>(); // BOUNDED by streamsMax
  readonly #pulls: StreamSlots;
  readonly #pullsOfPeer: StreamSlots;
  /** Who waits for a place, each wait once. BOUNDED by waitingMax. */
  readonly #waiting: string[] = [];
  #open = 0;

  constructor({ clock, timers }: { clock: Clock; timers: Timers }, options: AdmissionOptions) {
    this.#options = options;
    this.#timers = timers;
    const rates = (perMinute: number): { peer: SourceRate; network: SourceRate } => ({
      peer: new SourceRate(clock, perMinute),
      network: new SourceRate(clock, perMinute * peersPerNetwork),
    });
    this.#rates = {
      question: rates(options.questionsPerMinute),
      offer: rates(options.offersPerMinute),
    };
    this.#pulls = new StreamSlots(options.pullsMax);
    this.#pullsOfPeer = new StreamSlots(options.pullsPerPeerMax);
  }

  /** Whether a peer has fewer streams than one may have. */
  mayEnter(peer: string): boolean {
    return (this.#streams.get(peer) ?? 0) < this.#options.streamsPerPeerMax;
  }

  /** What ends the stream's place, also if called twice; undefined when there is none. */
  enter(peer: string): (() => void) | undefined {
    if (this.#open >= this.#options.streamsMax || !this.mayEnter(peer)) return undefined;
    this.#open++;
    this.#streams.set(peer, (this.#streams.get(peer) ?? 0) + 1);
    let isIn = true;
    return () => {
      if (!isIn) return;
      isIn = false;
      this.#open--;
      const left = (this.#streams.get(peer) ?? 1) - 1;
      if (left > 0) this.#streams.set(peer, left);
      else this.#streams.delete(peer);
    };
  }

  /** Counts one; false when it is one too many. `address` is the multiaddr that it comes from. */
  allows(what: 'question' | 'offer', peer: Bytes, address: string | undefined): boolean {
    const { peer: byPeer, network: byNetwork } = this.#rates[what];
    if (byPeer.take(toHex(peer)) > 0) return false;
    const network = networkOf(address);
    return network === undefined || byNetwork.take(network) === 0;
  }

  /** What gives the place back; undefined when none comes free in time. Rejects when aborted. */
  async pull(peer: Bytes, signal: AbortSignal): Promise<(() => void) | undefined> {
    const { waitingMax, waitingPerPeerMax, waitMs: ms } = this.#options;
    const name = toHex(peer);
    const own = this.#waiting.filter((one) => one === name).length;
    if (this.#waiting.length >= waitingMax || own >= waitingPerPeerMax) return undefined;
    this.#waiting.push(name);
    let leave: (() => void) | undefined;
    try {
      const limits = { timers: this.#timers, ms, what: 'keep', signal };
      return await withDeadline(limits, async (inTime) => {
        // First its own place: who wants many at once must not take the others'.
        const leaveOwn = await this.#pullsOfPeer.take(name, inTime);
        leave = leaveOwn;
        const leaveAll = await this.#pulls.take('all', inTime);
        return () => {
          leaveAll();
          leaveOwn();
        };
      });
    } catch {
      leave?.();
      signal.throwIfAborted();
      return undefined;
    } finally {
      this.#waiting.splice(this.#waiting.indexOf(name), 1);
    }
  }
}
