/** Where a datagram came from, with what the limits ask of it, and the limits per source. */
import { type Endpoint, parseIp, prefixOf, type Scope, scopeOf } from '../base/address.ts';
import type { Bytes } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { LruMap } from '../base/limits.ts';
import { KeyedBuckets } from '../base/buckets.ts';

export interface Source {
  readonly endpoint: Endpoint;
  readonly scope: Scope;
  /** The address as text: the key of the bucket of this IP. */
  readonly address: string;
  /** The /24 or /48. */
  readonly prefix: string;
}

/** A datagram's source with the way back to it: by the socket that the datagram came in on. */
export interface Arrival extends Source {
  readonly reply: (datagram: Bytes) => void;
}

interface ParsedAddress {
  readonly ip: Bytes;
  readonly scope: Scope;
  readonly prefix: string;
}

/** Reads the address texts of sockets. Parsing costs more than a MAC, so results are kept. */
export class SourceParser {
  readonly #parsed = new LruMap<string, ParsedAddress>(4096); // BOUNDED by its size

  /** Undefined for a source that no peer can have: those datagrams are forged. */
  parse(address: string, port: number): Source | undefined {
    const known = this.#parsed.get(address) ?? this.#read(address);
    if (!known || known.scope === 'bogon' || port === 0) return undefined;
    const { ip, scope, prefix } = known;
    return { endpoint: { ip, port }, scope, address, prefix };
  }

  #read(address: string): ParsedAddress | undefined {
    const ip = parseIp(address);
    if (!ip) return undefined;
    const parsed = { ip, scope: scopeOf(ip), prefix: prefixOf(ip, 'narrow') };
    this.#parsed.set(address, parsed);
    return parsed;
  }
}

/** A lookup asks one node a few times; 20 per second leaves room for many nodes behind one NAT. */
const perAddress = { perSecond: 20, burst: 40, keysMax: 8192 };
const perPrefix = { perSecond: 100, burst: 200, keysMax: 8192 };

export class SourceLimits {
  readonly #addresses: KeyedBuckets;
  readonly #prefixes: KeyedBuckets;

  constructor(clock: Clock) {
    this.#addresses = new KeyedBuckets(clock, perAddress);
    this.#prefixes = new KeyedBuckets(clock, perPrefix);
  }

  /**
   * Whether one more datagram of this source may cost something. Loopback is exempt: many nodes of
   * one machine share the address, and nobody else can have it.
   */
  take({ scope, address, prefix }: Source): boolean {
    return scope === 'loopback' || (this.#addresses.take(address) && this.#prefixes.take(prefix));
  }
}
