/**
 * Whether strangers can reach us at our address of one family, as far as we know. A state machine
 * without timers and network: others tell it what happened and when (docs/spec/dht.md, "Modes").
 *
 *   unknown    -- an address is adopted --------------------------> testing
 *   testing    -- 4 networks knocked, stable for 15 min, clock ---> reachable
 *   reachable  -- 2 tests in a row failed ------------------------> testing, from the beginning
 *   reachable  -- the clock is wrong -----------------------------> testing
 *   testing, reachable -- another address is adopted -------------> testing, from the beginning
 *   unknown    -- the address where an earlier run was reachable is adopted --> testing, stable,
 *                                                                  and one network is enough
 *   any        -- the port depends on who is asked ---------------> symmetric
 */
import { type Endpoint, formatEndpoint } from '../../base/address.ts';
import type { AddressVerdict } from './address-votes.ts';

export interface ReachabilityOptions {
  /** Different networks that must have knocked. */
  readonly networksMin: number;
  /** How long the address must have been the same. */
  readonly stableMs: number;
  /** Tests that bring nothing new follow one another after so long, then ever slower … */
  readonly testIntervalMinMs: number;
  /** … up to this; a reachable node tests so often whether it still is. */
  readonly testIntervalMaxMs: number;
  /** Failed tests in a row after which a node counts as unreachable. */
  readonly failuresMax: number;
}

const minute = 60_000;

export const reachabilityDefaults: ReachabilityOptions = {
  networksMin: 4,
  stableMs: 15 * minute,
  testIntervalMinMs: minute,
  testIntervalMaxMs: 60 * minute,
  failuresMax: 2,
};

export interface ReachOutcome {
  /** Nodes that said that somebody will knock. */
  readonly promised: number;
  /** From where somebody did. */
  readonly networks: ReadonlySet<string>;
}

export type ClockState = 'unknown' | 'right' | 'wrong';

export type ReachState =
  | { readonly kind: 'unknown'; readonly votes: number }
  | { readonly kind: 'symmetric' }
  | {
      readonly kind: 'testing';
      readonly endpoint: Endpoint;
      readonly networks: number;
      /** Tests whose knocks were promised and did not come, since the last that did. */
      readonly failures: number;
      readonly stable: boolean;
    }
  | { readonly kind: 'reachable'; readonly endpoint: Endpoint };

interface Candidate {
  readonly endpoint: Endpoint;
  readonly sinceMs: number;
  readonly networks: Set<string>; // BOUNDED by networksMin, see tested()
  reachable: boolean;
  failures: number;
  /** Votes have become unclear since it was adopted. */
  disputed: boolean;
  delayMs: number;
  dueMs: number;
}

export class Reachability {
  readonly #options: ReachabilityOptions;
  /** Undefined while no address is adopted. */
  #candidate: Candidate | undefined;
  #verdict: AddressVerdict = { kind: 'open', votes: 0 };
  #recalled: Endpoint | undefined;

  constructor(options: ReachabilityOptions = reachabilityDefaults) {
    this.#options = options;
  }

  /**
   * Where strangers reached this node not long before it was restarted. It still takes the votes of
   * others to adopt that address, and one knock from outside to show that it is open.
   */
  recall(endpoint: Endpoint): void {
    if (!this.#candidate) this.#recalled = endpoint;
  }

  /** What the votes say now. */
  hear(verdict: AddressVerdict, nowMs: number): void {
    this.#verdict = verdict;
    const known = this.#candidate;
    if (verdict.kind === 'symmetric') {
      this.#candidate = undefined;
    } else if (verdict.kind === 'adopted') {
      if (known && sameEndpoint(known.endpoint, verdict.endpoint)) known.disputed = false;
      else this.#candidate = this.#begin(verdict.endpoint, nowMs);
    } else if (known && !known.disputed) {
      // Some voters are wrong, or the address is about to change: only a test can tell.
      known.disputed = true;
      if (known.reachable) known.dueMs = nowMs;
    }
  }

  /** The clock and the time that has passed may decide as well. */
  judge({ clock, nowMs }: { clock: ClockState; nowMs: number }): void {
    const known = this.#candidate;
    if (!known) return;
    const { networksMin } = this.#options;
    if (clock === 'wrong') {
      known.reachable = false;
    } else if (clock === 'right' && known.networks.size >= networksMin && this.#isStable(nowMs)) {
      known.reachable = true;
    }
  }

  isTestDue(nowMs: number): boolean {
    return this.#candidate !== undefined && nowMs >= this.#candidate.dueMs;
  }

  /** A test of `endpoint` has ended. */
  tested(endpoint: Endpoint, outcome: ReachOutcome, nowMs: number): void {
    const known = this.#candidate;
    if (!known || !sameEndpoint(known.endpoint, endpoint)) return;
    const { networksMin, testIntervalMinMs, testIntervalMaxMs } = this.#options;
    const before = known.networks.size;
    for (const network of outcome.networks) {
      if (known.networks.size < networksMin) known.networks.add(network);
    }
    this.#count(known, outcome);
    const arrived = outcome.networks.size > 0;
    const enough = known.networks.size >= networksMin;
    if (enough && arrived) known.delayMs = testIntervalMaxMs;
    else if (known.networks.size > before || known.reachable) known.delayMs = testIntervalMinMs;
    else known.delayMs = Math.min(2 * known.delayMs, testIntervalMaxMs);
    known.dueMs = nowMs + known.delayMs;
  }

  state(nowMs: number): ReachState {
    const known = this.#candidate;
    if (!known) {
      const { kind } = this.#verdict;
      if (kind === 'symmetric') return { kind };
      return { kind: 'unknown', votes: this.#verdict.kind === 'open' ? this.#verdict.votes : 0 };
    }
    const { endpoint, networks, failures } = known;
    if (known.reachable) return { kind: 'reachable', endpoint };
    const stable = this.#isStable(nowMs);
    return { kind: 'testing', endpoint, networks: networks.size, failures, stable };
  }

  /** Asked for every packet. */
  get reachable(): boolean {
    return this.#candidate?.reachable ?? false;
  }

  get endpoint(): Endpoint | undefined {
    return this.#candidate?.endpoint;
  }

  /** That nobody promised to knock says nothing of us. */
  #count(known: Candidate, { promised, networks }: ReachOutcome): void {
    if (networks.size > 0) known.failures = 0;
    else if (promised > 0) known.failures += 1;
    if (known.failures < this.#options.failuresMax) return;
    known.reachable = false;
    known.networks.clear();
  }

  #isStable(nowMs: number): boolean {
    const known = this.#candidate;
    return known !== undefined && nowMs - known.sinceMs >= this.#options.stableMs;
  }

  #begin(endpoint: Endpoint, nowMs: number): Candidate {
    const { stableMs, networksMin } = this.#options;
    const isRecalled = this.#recalled !== undefined && sameEndpoint(this.#recalled, endpoint);
    this.#recalled = undefined;
    const earlier = Array.from({ length: networksMin - 1 }, (_, i) => `earlier ${i}`);
    return {
      endpoint,
      sinceMs: isRecalled ? nowMs - stableMs : nowMs,
      networks: new Set(isRecalled ? earlier : []),
      reachable: false,
      failures: 0,
      disputed: false,
      delayMs: this.#options.testIntervalMinMs / 2,
      dueMs: nowMs,
    };
  }
}

function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return formatEndpoint(a) === formatEndpoint(b);
}
