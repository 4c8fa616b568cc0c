/**
 * What this node sends to addresses that others named. A peer can name a victim's address in its
 * replies; these limits keep what the victim then gets below what the attacker spent
 * (docs/spec/packets.md, "Contact injection"). Only global addresses are limited: on loopback and
 * in a LAN many nodes share few addresses, and there is no stranger to hit.
 */
import { type Endpoint, formatEndpoint, formatIp, scopeOf } from '../base/address.ts';
import type { Clock } from '../base/clock.ts';
import { LruMap } from '../base/limits.ts';

const sendsMax = 2;
const windowMs = 10_000;
const failedMs = 10 * 60_000;
const entriesMax = 8192;

export class OutgoingGate {
  readonly #clock: Clock;
  readonly #answered = new LruMap<string, true>(entriesMax); // BOUNDED by its size
  readonly #sentMs = new LruMap<string, readonly number[]>(entriesMax); // BOUNDED by its size
  readonly #failedMs = new LruMap<string, number>(entriesMax); // BOUNDED by its size

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Why nothing may be sent to this endpoint now; undefined when something may. One that the user
   * named, or that answered in an earlier run, may be tried again soon after it failed.
   */
  refusal(
    endpoint: Endpoint,
    { named = false }: { readonly named?: boolean } = {},
  ): 'failed lately' | 'asked too often without an answer' | undefined {
    if (scopeOf(endpoint.ip) !== 'global') return undefined;
    const address = formatIp(endpoint.ip);
    if (this.#answered.get(address)) return undefined;
    const nowMs = this.#clock.monotonicMs();
    const failed = this.#failedMs.get(formatEndpoint(endpoint));
    if (!named && failed !== undefined && nowMs - failed < failedMs) return 'failed lately';
    return this.#recentSends(address, nowMs).length < sendsMax
      ? undefined
      : 'asked too often without an answer';
  }

  noteSent({ ip }: Endpoint): void {
    const address = formatIp(ip);
    const nowMs = this.#clock.monotonicMs();
    this.#sentMs.set(address, [...this.#recentSends(address, nowMs), nowMs].slice(-sendsMax));
  }

  noteAnswered(endpoint: Endpoint): void {
    this.#answered.set(formatIp(endpoint.ip), true);
    this.#failedMs.delete(formatEndpoint(endpoint));
  }

  /** A request came from there, from who proved the address: somebody is there again. */
  noteHeard(endpoint: Endpoint): void {
    this.#failedMs.delete(formatEndpoint(endpoint));
  }

  noteFailed(endpoint: Endpoint): void {
    this.#failedMs.set(formatEndpoint(endpoint), this.#clock.monotonicMs());
  }

  #recentSends(address: string, nowMs: number): number[] {
    return (this.#sentMs.get(address) ?? []).filter((sentMs) => nowMs - sentMs < windowMs);
  }
}
