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

  /** Whether one more may begin; then `leave` must follow. */
  enter(client: string): boolean {
    const own = this.#perClient.get(client) ?? 0;
    const { requestsMax, requestsPerClientMax } = this.#limits;
    if (this.#total >= requestsMax || own >= requestsPerClientMax) return false;
    this.#total++;
    this.#perClient.set(client, own + 1);
    return true;
  }

  leave(client: string): void {
    const own = this.#perClient.get(client) ?? 0;
    this.#total--;
    if (own > 1) this.#perClient.set(client, own - 1);
    else this.#perClient.delete(client);
  }
}
