/**
 * How many requests are being worked on, in all and for each client; and how many connections there
 * are, which is the same sum. What others take never is all of it.
 */

export interface InFlightLimits {
  readonly requestsMax: number;
  readonly requestsPerClientMax: number;
}

/** Of all places, those that only this machine itself may take. */
const ownShare = 1 / 4;

/** How many of so many places others may take together. */
export function othersMaxOf(placesMax: number): number {
  return placesMax - Math.floor(placesMax * ownShare);
}

export class InFlight {
  readonly #limits: InFlightLimits;
  readonly #perClient = new Map<string, number>(); // BOUNDED by requestsMax: each has one at least
  #total = 0;
  #others = 0;

  constructor(limits: InFlightLimits) {
    this.#limits = limits;
  }

  get total(): number {
    return this.#total;
  }

  /**
   * One more begins, and `leave` must follow; unless what comes back says whose limit is reached.
   * A client without a name is this machine itself: it counts only in all.
   */
  enter(client: string | undefined): 'client' | 'all' | undefined {
    const { requestsMax, requestsPerClientMax } = this.#limits;
    if (this.#total >= requestsMax) return 'all';
    if (client !== undefined) {
      if (this.#others >= othersMaxOf(requestsMax)) return 'all';
      const own = this.#perClient.get(client) ?? 0;
      if (own >= requestsPerClientMax) return 'client';
      this.#perClient.set(client, own + 1);
      this.#others++;
    }
    this.#total++;
    return undefined;
  }

  leave(client: string | undefined): void {
    this.#total--;
    if (client === undefined) return;
    this.#others--;
    const own = this.#perClient.get(client) ?? 0;
    if (own > 1) this.#perClient.set(client, own - 1);
    else this.#perClient.delete(client);
  }
}
