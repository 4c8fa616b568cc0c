/**
 * Whether others need a relay to reach this node. The test of reachability (dht/mode) takes a
 * quarter of an hour to say yes; this says no sooner. A state machine without timers.
 */
import { scopeOf } from '../base/address.ts';
import type { Contact } from '../identity/contact.ts';

export interface NeedSources {
  /** Others whom this node knows. */
  readonly contacts: () => readonly Pick<Contact, 'endpoint'>[];
  /** Whether strangers reach it, as far as that is shown. */
  readonly isReachable: () => boolean;
  /** Whether an interface of this machine has an address of the Internet. */
  readonly hasGlobalAddress: () => boolean;
  readonly monotonicMs: () => number;
}

/** So long a machine with an address of its own may still show that it is reached there. */
const patienceMs = 3 * 60_000;

export class RelayNeed {
  readonly #sources: NeedSources;
  /** Since when others are known and nobody reached this node; undefined before. */
  #sinceMs: number | undefined;

  constructor(sources: NeedSources) {
    this.#sources = sources;
  }

  /** In a network of loopback or private addresses everybody reaches everybody. */
  readonly isNeeded = (): boolean => {
    const { contacts, isReachable, hasGlobalAddress, monotonicMs } = this.#sources;
    const isAbroad = contacts().some(({ endpoint }) => scopeOf(endpoint.ip) === 'global');
    if (!isAbroad || isReachable()) {
      this.#sinceMs = undefined;
      return false;
    }
    const nowMs = monotonicMs();
    this.#sinceMs ??= nowMs;
    // Without an address of its own it is behind a router, which lets in nobody until it is told.
    return !hasGlobalAddress() || nowMs - this.#sinceMs >= patienceMs;
  };
}
