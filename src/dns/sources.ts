/**
 * Who asks: whether they are served at all, and how often (docs/spec/dns.md, "Who is served"). This
 * is no open resolver: only this machine and private networks are answered.
 */
import { parseIp, prefixOf, type Scope, scopeOf } from '../base/address.ts';
import { type BucketSize, TokenBucket } from '../base/buckets.ts';
import { toHex } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { LruMap } from '../base/limits.ts';

export interface SourceOptions {
  /** near: this machine and private networks. everybody: for who limits it by other means. */
  readonly served: 'near' | 'everybody';
  /** What a network of one prefix may ask; this machine itself may ask anything. */
  readonly queries: BucketSize;
  /** What one prefix may make this node look up in the network. */
  readonly lookups: BucketSize;
}

export const sourceDefaults: SourceOptions = {
  served: 'near',
  queries: { perSecond: 500, burst: 2000 },
  lookups: { perSecond: 20, burst: 100 },
};

/** Many more than ask in a household, or an office. */
const sourcesMax = 4096;

export interface Source {
  /** The /24, the /56, or this machine. */
  readonly prefix: string;
  /** Whether it may be somebody else's address that was written on the datagram. */
  readonly isDistant: boolean;
  readonly isServed: boolean;
  /** This machine. */
  readonly isHere: boolean;
  /** Takes one query of its share; false: not now. */
  takeQuery(): boolean;
  /** The same for a search in the network. */
  takeLookup(): boolean;
}

interface Shares {
  readonly queries: TokenBucket | undefined;
  readonly lookups: TokenBucket;
}

export class Sources {
  readonly #clock: Clock;
  readonly #options: SourceOptions;
  /** By address as the socket spells it: to read one takes longer than to answer. */
  readonly #known = new LruMap<string, Source>(sourcesMax); // BOUNDED by sourcesMax
  #latest: { readonly address: string; readonly source: Source } | undefined;
  readonly #shares = new LruMap<string, Shares>(sourcesMax); // BOUNDED by sourcesMax

  constructor(clock: Clock, options: SourceOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  of(address: string): Source {
    // Most of what comes, comes from where the query before came from.
    if (this.#latest?.address === address) return this.#latest.source;
    let source = this.#known.get(address);
    if (!source) {
      source = this.#read(address);
      this.#known.set(address, source);
    }
    this.#latest = { address, source };
    return source;
  }

  #read(address: string): Source {
    const ip = parseIp(address);
    const scope: Scope = ip ? scopeOf(ip) : 'bogon';
    const isDistant = scope !== 'loopback' && scope !== 'private';
    const prefix = ip && scope !== 'loopback' ? sourcePrefix(ip) : scope;
    const shares = this.#sharesOf(prefix, scope);
    return {
      prefix,
      isDistant,
      isHere: scope === 'loopback',
      isServed: !isDistant || (this.#options.served === 'everybody' && scope === 'global'),
      takeQuery: () => shares.queries?.take() ?? true,
      takeLookup: () => shares.lookups.take(),
    };
  }

  #sharesOf(prefix: string, scope: Scope): Shares {
    let shares = this.#shares.get(prefix);
    if (!shares) {
      const { queries, lookups } = this.#options;
      shares = {
        queries: scope === 'loopback' ? undefined : new TokenBucket(this.#clock, queries),
        lookups: new TokenBucket(this.#clock, lookups),
      };
      this.#shares.set(prefix, shares);
    }
    return shares;
  }
}

/** What one household or machine has for itself: an IPv4 /24, an IPv6 /56. */
function sourcePrefix(ip: Uint8Array): string {
  return ip.length === 4 ? prefixOf(ip, 'narrow') : `16:${toHex(ip.subarray(0, 7))}`;
}
