/**
 * Who is served: how many streams of one peer, of one network and in all, and what all of them hold
 * in memory. Places and memory cannot be kept by having them: when they run short, whoever uses
 * them least makes way. It knows no streams and no blocks; whoever has a place is told to leave it.
 */
import type { Clock } from '../../base/clock.ts';

export interface PlacesOptions {
  readonly streamsMax?: number | undefined;
  readonly streamsPerPeerMax?: number | undefined;
  /** Of one /24 or /48 of global addresses. */
  readonly streamsPerNetworkMax?: number | undefined;
  /** What all answers together may hold: links, hashes, and blocks on their way. */
  readonly memoryBytesMax?: number | undefined;
  /** Whoever took nothing of its answer for so long makes way when places run short. */
  readonly stallMs?: number | undefined;
}

/**
 * Why somebody was not served, or no longer. peer, network, total: no place was left. idle,
 * stalled: it made way for another. memory: too much was held, and most of it by its network.
 */
export type RefusalReason = 'peer' | 'network' | 'total' | 'idle' | 'stalled' | 'memory';

export interface Guest {
  readonly peer: string;
  /** Undefined where networks do not count: at home, all are neighbours. */
  readonly network: string | undefined;
  /** It lost its place: at once, and `isIdle` when it was asked nothing at that moment. */
  readonly leave: (isIdle: boolean) => void;
}

/** One stream that is served. */
export class Place {
  readonly guest: Guest;
  /** Since when nothing is asked, or nothing of the answer is taken. */
  sinceMs: number;
  isIdle = true;
  bytes = 0;

  constructor(guest: Guest, sinceMs: number) {
    this.guest = guest;
    this.sinceMs = sinceMs;
  }

  /** Whose memory it is counted as: keys cost nothing, networks do. */
  get party(): string {
    const { network, peer } = this.guest;
    return network ?? peer;
  }
}

export class ServingPlaces {
  readonly #options: PlacesOptions;
  readonly #clock: Clock;
  readonly #places = new Set<Place>(); // BOUNDED by streamsMax, see take()
  readonly #refusals: Record<RefusalReason, number> = {
    peer: 0,
    network: 0,
    total: 0,
    idle: 0,
    stalled: 0,
    memory: 0,
  };
  #bytes = 0;

  constructor(options: PlacesOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** How often, since the start. */
  get refusals(): Readonly<Record<RefusalReason, number>> {
    return this.#refusals;
  }

  /** What all answers hold. */
  get bytes(): number {
    return this.#bytes;
  }

  has(place: Place): boolean {
    return this.#places.has(place);
  }

  /** Undefined, and counted, when there is none. */
  take(guest: Guest): Place | undefined {
    const reason = this.#lacks(guest);
    if (reason) {
      this.#refusals[reason]++;
      return undefined;
    }
    const place = new Place(guest, this.#clock.monotonicMs());
    this.#places.add(place);
    return place;
  }

  give(place: Place): void {
    this.hold(place, 0);
    this.#places.delete(place);
  }

  /** Something is asked, or nothing any more. */
  setIdle(place: Place, isIdle: boolean): void {
    place.isIdle = isIdle;
    this.progressed(place);
  }

  progressed(place: Place): void {
    place.sinceMs = this.#clock.monotonicMs();
  }

  /**
   * What its answer would hold from now on. False when that is too much: then it must end, and is
   * counted as before until it has.
   */
  hold(place: Place, bytes: number): boolean {
    if (!this.#places.has(place)) return false;
    const before = place.bytes;
    this.#count(place, bytes);
    const { memoryBytesMax = 40 * 1024 * 1024 } = this.#options;
    while (this.#bytes > memoryBytesMax) {
      const largest = this.#largest();
      if (largest === undefined || largest === place) {
        this.#refusals.memory++;
        this.#count(place, before);
        return false;
      }
      this.#dismiss(largest, 'memory');
    }
    return true;
  }

  #count(place: Place, bytes: number): void {
    this.#bytes += bytes - place.bytes;
    place.bytes = bytes;
  }

  #lacks({ peer, network }: Guest): RefusalReason | undefined {
    const { streamsMax = 64, streamsPerPeerMax = 8, streamsPerNetworkMax = 16 } = this.#options;
    const own = [...this.#places].filter(({ guest }) => guest.peer === peer);
    if (own.length >= streamsPerPeerMax) return 'peer';
    const near = [...this.#places].filter(({ guest }) => guest.network === network);
    if (network !== undefined && near.length >= streamsPerNetworkMax) {
      if (!this.#makeWay(near)) return 'network';
    }
    if (this.#places.size < streamsMax || this.#makeWay([...this.#places])) return undefined;
    return 'total';
  }

  /** Of those who ask nothing the one that does so for longest, or one that takes nothing. */
  #makeWay(places: readonly Place[]): boolean {
    const { stallMs = 5000 } = this.#options;
    const nowMs = this.#clock.monotonicMs();
    const idle = longest(places.filter(({ isIdle }) => isIdle));
    if (idle) return this.#dismiss(idle, 'idle');
    const stalled = longest(places.filter(({ sinceMs }) => nowMs - sinceMs >= stallMs));
    return stalled !== undefined && this.#dismiss(stalled, 'stalled');
  }

  /** The largest answer of the party that holds most. */
  #largest(): Place | undefined {
    const sums = new Map<string, number>(); // BOUNDED by streamsMax
    for (const { party, bytes } of this.#places) sums.set(party, (sums.get(party) ?? 0) + bytes);
    let found: Place | undefined;
    let most: readonly [number, number] = [0, 0];
    for (const place of this.#places) {
      const size = [sums.get(place.party) ?? 0, place.bytes] as const;
      if (size[0] < most[0] || (size[0] === most[0] && size[1] <= most[1])) continue;
      found = place;
      most = size;
    }
    return found;
  }

  #dismiss(place: Place, reason: RefusalReason): true {
    this.#refusals[reason]++;
    this.give(place);
    place.guest.leave(place.isIdle);
    return true;
  }
}

function longest(places: readonly Place[]): Place | undefined {
  let found: Place | undefined;
  for (const place of places) if (!found || place.sinceMs < found.sinceMs) found = place;
  return found;
}
