/**
 * How much work one client may cause: so many requests at once, and so many a second from one
 * network. This machine's own browser is never held back, nor is it kept waiting by others longer
 * than the limit on all of them together makes it.
 */
import { KeyedBuckets } from '../base/buckets.ts';
import type { Clock } from '../base/clock.ts';
import { LruMap } from '../base/limits.ts';
import { clientNetworkOf } from './client-network.ts';
import { InFlight, type InFlightLimits } from './inflight.ts';

export interface ClientLimits extends InFlightLimits {
  /** Of one IPv4 address or one IPv6 /64, in the long run and at a time. */
  readonly requestsPerSecondMax: number;
  readonly requestsBurstMax: number;
  /** Limits hold for this machine itself as well. */
  readonly limitsLoopback: boolean;
}

/** client: this one asks for too much. all: everybody together does. */
export type Refusal = 'client' | 'all';

/** Networks whose rate is remembered, and addresses of which it is known to which they belong. */
const networksMax = 8192;

/** This machine's own browser, of which no map need be asked. */
const commonest = '127.0.0.1';

export class Clients {
  readonly #inFlight: InFlight;
  readonly #buckets: KeyedBuckets;
  readonly #limitsLoopback: boolean;
  /** Undefined for one that is not limited. BOUNDED by its size. */
  readonly #networks = new LruMap<string, { readonly network: string | undefined }>(networksMax);

  constructor(limits: ClientLimits, clock: Clock) {
    const { requestsPerSecondMax: perSecond, requestsBurstMax: burst } = limits;
    this.#inFlight = new InFlight(limits);
    this.#buckets = new KeyedBuckets(clock, { perSecond, burst, keysMax: networksMax });
    this.#limitsLoopback = limits.limitsLoopback;
  }

  /** Whether one more request from this address may be answered now; asked for each. */
  admits(address: string): boolean {
    const network = this.#networkOf(address);
    return network === undefined || this.#buckets.take(network);
  }

  /** Work begins, and `leave` must follow; unless a reason comes back why it must not. */
  enter(address: string): Refusal | undefined {
    return this.#inFlight.enter(this.#networkOf(address));
  }

  leave(address: string): void {
    this.#inFlight.leave(this.#networkOf(address));
  }

  #networkOf(address: string): string | undefined {
    if (address === commonest && !this.#limitsLoopback) return undefined;
    const known = this.#networks.get(address);
    if (known) return known.network;
    const network = clientNetworkOf(address, { limitsLoopback: this.#limitsLoopback });
    this.#networks.set(address, { network });
    return network;
  }
}
