/**
 * How many contacts of one network count. IDs are free, addresses are not: whoever has one network
 * gets few places, however many nodes it runs there. Only global addresses are counted; on loopback
 * and in a LAN many nodes share few addresses, and there is no stranger.
 */
import { prefixOf, scopeOf } from '../../base/address.ts';
import type { Bytes } from '../../base/bytes.ts';

export interface PrefixCaps {
  /** Per IPv4 /24 or IPv6 /48. */
  readonly narrow: number;
  /** Per IPv4 /16 or IPv6 /32. */
  readonly wide: number;
}

/** Of those that a lookup counts. */
export const lookupCaps: PrefixCaps = { narrow: 2, wide: 4 };

/** What an address counts to: equal values of one width mean the same network. */
export interface Networks {
  readonly narrow: number | string;
  readonly wide: number | string;
}

/** Undefined for addresses that are not counted. */
export function networksOf(ip: Bytes): Networks | undefined {
  if (scopeOf(ip) !== 'global') return undefined;
  if (ip.length !== 4) return { narrow: prefixOf(ip, 'narrow'), wide: prefixOf(ip, 'wide') };
  // Numbers instead of text: this runs for every contact of every reply.
  const wide = ((ip[0] ?? 0) << 8) | (ip[1] ?? 0);
  return { narrow: (wide << 8) | (ip[2] ?? 0), wide };
}

/** Contacts counted so far, by network: few, so that going through them beats looking up. */
export class PrefixCounts {
  readonly #caps: PrefixCaps;
  readonly #counted: Networks[] = []; // BOUNDED by the contacts counted

  constructor(caps: PrefixCaps) {
    this.#caps = caps;
  }

  hasRoom(networks: Networks | undefined): boolean {
    if (!networks) return true;
    let [narrow, wide] = [0, 0];
    for (const other of this.#counted) {
      if (other.wide !== networks.wide) continue;
      wide++;
      if (other.narrow === networks.narrow) narrow++;
    }
    return narrow < this.#caps.narrow && wide < this.#caps.wide;
  }

  add(networks: Networks | undefined): void {
    if (networks) this.#counted.push(networks);
  }

  /** Counts it if there is room; whether there was. */
  take(networks: Networks | undefined): boolean {
    if (!this.hasRoom(networks)) return false;
    this.add(networks);
    return true;
  }
}
