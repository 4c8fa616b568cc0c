/** What a node counts of its DHT traffic, for its operator. */
import { Durations, type DurationsSnapshot } from '../base/durations.ts';
import { type StoreStatus, storeStatusName } from '../record/kinds.ts';
import type { Method } from './ports.ts';

/** Numbers since the start, by name of method or status. */
export interface DhtCounts {
  /** Requests of others. */
  readonly received: Readonly<Record<string, number>>;
  /** Our own requests that were answered. */
  readonly answered: Readonly<Record<string, number>>;
  /** Our own requests that were not. */
  readonly unanswered: Readonly<Record<string, number>>;
  /** Records that we refused to hold, by status. */
  readonly refused: Readonly<Record<string, number>>;
  /** How long lookups took, also those that were given up. */
  readonly lookups: Readonly<Record<LookupPurpose, DurationsSnapshot>>;
}

/** What a lookup is after: the nodes nearest to a target, or what they hold under it. */
export type LookupPurpose = 'nodes' | 'records';

type CountedRequest = 'received' | 'answered' | 'unanswered';
type Counted = CountedRequest | 'refused';

/** From a lookup among neighbours to one that waits for the silent. */
const lookupBoundsSeconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export class Counters {
  // BOUNDED by the methods and statuses that there are
  readonly #counts: Record<Counted, Map<string, number>> = {
    received: new Map(),
    answered: new Map(),
    unanswered: new Map(),
    refused: new Map(),
  };
  readonly #lookups: Readonly<Record<LookupPurpose, Durations>> = {
    nodes: new Durations(lookupBoundsSeconds),
    records: new Durations(lookupBoundsSeconds),
  };

  request(what: CountedRequest, method: Method): void {
    bump(this.#counts[what], method);
  }

  lookup(purpose: LookupPurpose, tookMs: number): void {
    this.#lookups[purpose].add(tookMs / 1000);
  }

  refused(status: StoreStatus): void {
    bump(this.#counts.refused, storeStatusName(status));
  }

  snapshot(): DhtCounts {
    const { received, answered, unanswered, refused } = this.#counts;
    return {
      received: Object.fromEntries(received),
      answered: Object.fromEntries(answered),
      unanswered: Object.fromEntries(unanswered),
      refused: Object.fromEntries(refused),
      lookups: {
        nodes: this.#lookups.nodes.snapshot(),
        records: this.#lookups.records.snapshot(),
      },
    };
  }
}

function bump(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
