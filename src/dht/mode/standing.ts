/**
 * What this node knows of its own place in the network: its addresses, whether strangers reach it
 * there, and how far its clock is off. From that follows the one question that others ask of it:
 * whether it is a server. It does no I/O and sets no timers.
 */
import { type Endpoint, type Scope, scopeOf } from '../../base/address.ts';
import type { Bytes } from '../../base/bytes.ts';
import type { Clock } from '../../base/clock.ts';
import type { Contact } from '../../identity/contact.ts';
import type { ReplyInfo } from '../ports.ts';
import { AddressVotes, addressVoteDefaults, type AddressVoteOptions } from './address-votes.ts';
import { ClockOffset, clockOffsetDefaults, type ClockOffsetOptions } from './clock-offset.ts';
import {
  type ClockState,
  Reachability,
  reachabilityDefaults,
  type ReachabilityOptions,
} from './reachability.ts';

export interface StandingOptions
  extends AddressVoteOptions, ClockOffsetOptions, ReachabilityOptions {
  /**
   * 'earned': a server where it has shown that it can be reached. 'public': its operator says that
   * it can. 'guest': here for one task, and never a server.
   */
  readonly role: 'earned' | 'public' | 'guest';
}

export const standingDefaults: StandingOptions = {
  ...addressVoteDefaults,
  ...clockOffsetDefaults,
  ...reachabilityDefaults,
  role: 'earned',
};

/** IPv4 and IPv6, by the bytes of an address. */
export const families = [4, 16] as const;
export type Family = (typeof families)[number];

const scopes = ['loopback', 'private', 'global'] as const satisfies readonly Scope[];

export class Standing {
  readonly clockOffset: ClockOffset;
  readonly #clock: Clock;
  readonly #options: StandingOptions;
  readonly #knowsGlobal: () => boolean;
  /** One tally for each family and scope: a private network sees another address than the rest. */
  readonly #votes = new Map<string, AddressVotes>(); // BOUNDED by families and scopes
  readonly #reach: Readonly<Record<Family, Reachability>>;

  /** `knowsGlobal`: whether this node knows others outside its private network. */
  constructor(clock: Clock, knowsGlobal: () => boolean, options: StandingOptions) {
    this.#clock = clock;
    this.#knowsGlobal = knowsGlobal;
    this.#options = options;
    this.clockOffset = new ClockOffset(options);
    this.#reach = { 4: new Reachability(options), 16: new Reachability(options) };
  }

  /** A node that we asked has answered. */
  observe(by: Contact, info: ReplyInfo): void {
    this.clockOffset.add(by, info, this.#clock.unixMs());
    const { ip } = by.endpoint;
    // Who sees us by another family or scope than we see it says nothing of how that one sees us.
    const sameWay = info.observed.ip.length === ip.length;
    if (sameWay && scopeOf(info.observed.ip) === scopeOf(ip)) {
      this.#tally(ip.length, scopeOf(ip)).add(by, info.observed);
    }
  }

  /** Takes into account what was observed, and the time that has passed. */
  update(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const family of families) {
      const reach = this.#reach[family];
      reach.hear(this.#tally(family, 'global').verdict(), nowMs);
      reach.judge({ clock: this.#clockState(), nowMs });
    }
  }

  /** The addresses at which strangers reach this node now. */
  reachableAt(): readonly Endpoint[] {
    return families.flatMap((family) => {
      const { reachable, endpoint } = this.#reach[family];
      return reachable && endpoint ? [endpoint] : [];
    });
  }

  /** See Reachability. */
  recall(endpoint: Endpoint): void {
    this.#reach[endpoint.ip.length === 4 ? 4 : 16].recall(endpoint);
  }

  reachability(family: Family): Reachability {
    return this.#reach[family];
  }

  /**
   * Whether others can reach us: only then do we hold records for them. With an address, whether
   * who asks from there can. In a loopback or private network everybody reaches everybody.
   */
  isServer(askerIp?: Bytes): boolean {
    const { role } = this.#options;
    if (role !== 'earned') return role === 'public';
    if (!askerIp) {
      return !this.#knowsGlobal() || families.some((family) => this.#reach[family].reachable);
    }
    if (scopeOf(askerIp) !== 'global') return true;
    return this.#reach[askerIp.length === 4 ? 4 : 16].reachable;
  }

  /** Where others see us by this family, in the widest scope that agrees on it. */
  address(family: Family): Endpoint | undefined {
    const global = this.#reach[family].endpoint;
    if (global) return global;
    for (const scope of scopes.toReversed()) {
      const verdict = this.#tally(family, scope).verdict();
      if (verdict.kind === 'adopted') return verdict.endpoint;
    }
    return undefined;
  }

  #clockState(): ClockState {
    if (this.clockOffset.seconds() === undefined) return 'unknown';
    return this.clockOffset.isWrong() ? 'wrong' : 'right';
  }

  #tally(ipBytes: number, scope: Scope): AddressVotes {
    const key = `${ipBytes}/${scope}`;
    let votes = this.#votes.get(key);
    if (!votes) {
      votes = new AddressVotes(this.#options);
      this.#votes.set(key, votes);
    }
    return votes;
  }
}
