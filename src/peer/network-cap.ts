/**
 * How many connections one network may have here: without it a few machines of one operator take
 * all places, by having them. Counted are those that come in, as this node chooses the others. It
 * knows nothing of what a connection is used for.
 */
import type { ConnectionGater, MultiaddrConnection } from '@libp2p/interface';
import { networkOf } from './address.ts';

export interface NetworkCapOptions {
  /** Connections of one /24 or /48 of global addresses. Default 32. */
  readonly connectionsPerNetworkMax?: number | undefined;
  /** Of them, those that have not proven a key yet. Default 16. */
  readonly handshakesPerNetworkMax?: number | undefined;
  /** Of a multiaddr; undefined where networks do not count. */
  readonly networkOf?: ((address: string) => string | undefined) | undefined;
}

interface Network {
  /** BOUNDED by connectionsPerNetworkMax, see #denies(). */
  readonly open: Set<MultiaddrConnection>;
  /** BOUNDED by handshakesPerNetworkMax. */
  readonly unproven: Set<MultiaddrConnection>;
}

export class NetworkCap {
  /** What libp2p asks about each connection. A connection that is denied is reset. */
  readonly gater: ConnectionGater = {
    denyInboundConnection: (raw) => this.#denies(raw),
    denyInboundEncryptedConnection: (_, raw) => this.#proven(raw),
  };
  readonly #options: NetworkCapOptions;
  readonly #networks = new Map<string, Network>(); // BOUNDED by the connections of the host
  #refused = 0;

  constructor(options: NetworkCapOptions = {}) {
    this.#options = options;
  }

  /** Connections that were reset because their network has enough. */
  get refused(): number {
    return this.#refused;
  }

  #denies(raw: MultiaddrConnection): boolean {
    if (raw.status !== 'open') return true;
    const name = this.#nameOf(raw);
    if (name === undefined) return false;
    const network = this.#networks.get(name) ?? { open: new Set(), unproven: new Set() };
    const { connectionsPerNetworkMax = 32, handshakesPerNetworkMax = 16 } = this.#options;
    const { open, unproven } = network;
    if (open.size >= connectionsPerNetworkMax || unproven.size >= handshakesPerNetworkMax) {
      this.#refused++;
      return true;
    }
    this.#networks.set(name, network);
    open.add(raw);
    unproven.add(raw);
    raw.addEventListener('close', () => {
      open.delete(raw);
      unproven.delete(raw);
      if (open.size === 0) this.#networks.delete(name);
    });
    return false;
  }

  /** It may stay: only the count of handshakes ends. */
  #proven(raw: MultiaddrConnection): boolean {
    const name = this.#nameOf(raw);
    if (name !== undefined) this.#networks.get(name)?.unproven.delete(raw);
    return false;
  }

  #nameOf({ remoteAddr }: MultiaddrConnection): string | undefined {
    return (this.#options.networkOf ?? networkOf)(remoteAddr.toString());
  }
}
