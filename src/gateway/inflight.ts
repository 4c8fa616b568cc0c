/** How many requests are being worked on, in all and for each client. */

export interface InFlightLimits {
  readonly requestsMax: number;
  readonly requestsPerClientMax: number;
}

export class InFlight {
  readonly #limits: InFlightLimits;
  readonly #perClient = new Map<string, number>(); // BOUNDED by requestsMax: each has one at least
  #total = 0;

  constructor(limits: InFlightLimits) {
    this.#limits = limits;
  }

  get total(): number {
    return this.#total;
  }

  /**
   * One more begins, and `leave` must follow; unless what comes back says whose limit is reached.
   * A client without a name counts only in all.
   */
  enter(client: string | undefined): 'client' | 'all' | undefined {
    const { requestsMax, requestsPerClientMax } = this.#limits;
    if (this.#total >= requestsMax) return 'all';
    if (client !== undefined) {
      const own = this.#perClient.get(client) ?? 0;
      if (own >= requestsPerClientMax) return 'client';
      this.#perClient.set(client, own + 1);
    }
    this.#total++;
    return undefined;
  }

  leave(client: string | undefined): void {
    this.#total--;
    if (client === undefined) return;
    const own = this.#perClient.get(client) ?? 0;
    if (own > 1) this.#perClient.set(client, own - 1);
    else this.#perClient.delete(client);
  }
}
