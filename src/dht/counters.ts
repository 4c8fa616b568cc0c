/** What a node counts of its DHT traffic, for its operator. */
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
}

type CountedRequest = Exclude<keyof DhtCounts, 'refused'>;

export class Counters {
  // BOUNDED by the methods and statuses that there are
  readonly #counts: Record<keyof DhtCounts, Map<string, number>> = {
    received: new Map(),
    answered: new Map(),
    unanswered: new Map(),
    refused: new Map(),
  };

  request(what: CountedRequest, method: Method): void {
    bump(this.#counts[what], method);
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
    };
  }
}

function bump(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
