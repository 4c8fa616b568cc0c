/**
 * Answers at hand, by the octets of the request that they answer. All together, and those that one
 * network had made, cost no more than they may: the oldest make room. It reads neither requests nor
 * answers.
 */

export interface AtHandLimits {
  readonly bytesMax: number;
  /** Of what was made for one network, so that none pushes out what all others use. */
  readonly bytesPerClientMax: number;
}

interface Entry<V> {
  readonly value: V;
  readonly cost: number;
  readonly client: string;
}

interface Share {
  cost: number;
  /** Oldest first. BOUNDED by bytesPerClientMax, see set() */
  readonly requests: Set<string>;
}

/** What an entry costs besides its octets, so that small ones are not free. */
const entryCost = 1024;

export class AtHand<V> {
  readonly #limits: AtHandLimits;
  readonly #entries = new Map<string, Entry<V>>(); // BOUNDED by bytesMax, see set()
  readonly #shares = new Map<string, Share>(); // BOUNDED by #entries: each has one at least
  #cost = 0;

  constructor(limits: AtHandLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(request: string): V | undefined {
    return this.#entries.get(request)?.value;
  }

  /** `bytes`: what the value holds. `client`: the network that it was made for. */
  set(
    request: string,
    value: V,
    { bytes, client }: { readonly bytes: number; readonly client: string },
  ): void {
    const cost = bytes + request.length + entryCost;
    const { bytesMax, bytesPerClientMax } = this.#limits;
    this.delete(request);
    if (cost > bytesPerClientMax) return;
    const share = this.#shares.get(client) ?? { cost: 0, requests: new Set() };
    for (const oldest of share.requests) {
      if (share.cost + cost <= bytesPerClientMax) break;
      this.delete(oldest);
    }
    for (const oldest of this.#entries.keys()) {
      if (this.#cost + cost <= bytesMax) break;
      this.delete(oldest);
    }
    this.#entries.set(request, { value, cost, client });
    this.#shares.set(client, share); // it may have gone with its last entry
    share.requests.add(request);
    share.cost += cost;
    this.#cost += cost;
  }

  delete(request: string): void {
    const entry = this.#entries.get(request);
    const share = entry && this.#shares.get(entry.client);
    if (!entry || !share) return;
    this.#entries.delete(request);
    share.requests.delete(request);
    share.cost -= entry.cost;
    this.#cost -= entry.cost;
    if (share.requests.size === 0) this.#shares.delete(entry.client);
  }

  clear(): void {
    this.#entries.clear();
    this.#shares.clear();
    this.#cost = 0;
  }
}
