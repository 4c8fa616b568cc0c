/**
 * What other nodes said of us, one value per voter: who runs many nodes in one network, or asks to
 * be heard often, counts once. It does not know what the values mean.
 */
import { type Endpoint, prefixOf, scopeOf } from '../../base/address.ts';
import { type Bytes, toHex } from '../../base/bytes.ts';
import { LruMap } from '../../base/limits.ts';

export interface Voter {
  /** The proven node ID. */
  readonly id: Bytes;
  readonly endpoint: Endpoint;
}

export interface VoterOptions {
  /** Voters that are remembered; the one heard longest ago goes. */
  readonly votersMax: number;
  /** Which global addresses count as one voter: /16 or /32, or /24 or /48. */
  readonly network: 'wide' | 'narrow';
}

export class Voters<T> {
  readonly #network: VoterOptions['network'];
  // BOUNDED by votersMax
  readonly #values: LruMap<string, { readonly id: string; readonly value: T }>;

  constructor({ votersMax, network }: VoterOptions) {
    this.#network = network;
    this.#values = new LruMap(votersMax);
  }

  /** Takes the place of what this voter, or its network, said before. */
  hear({ id, endpoint }: Voter, value: T): void {
    const voter = toHex(id);
    for (const [key, heard] of this.#values.entries()) {
      if (heard.id === voter) this.#values.delete(key);
    }
    this.#values.set(this.#keyOf(voter, endpoint.ip), { id: voter, value });
  }

  forget(): void {
    for (const [key] of this.#values.entries()) this.#values.delete(key);
  }

  /** Heard longest ago first. */
  values(): readonly T[] {
    return [...this.#values.entries()].map(([, { value }]) => value);
  }

  /** Addresses cost nothing in a private network: there the ID alone counts. */
  #keyOf(voter: string, ip: Bytes): string {
    return scopeOf(ip) === 'global' ? prefixOf(ip, this.#network) : voter;
  }
}
