/** What became of copies since the start, for the operator: those offered and those taken. */
import type { OfferOutcome } from './keep-client.ts';
import type { Taken } from './taker.ts';

/** By outcome: kept, held, or why not. */
export interface CopiesCounted {
  /** What other nodes said to our offers. */
  readonly offered: Readonly<Record<string, number>>;
  /** What we said to theirs. */
  readonly taken: Readonly<Record<string, number>>;
}

export const noCopiesCounted: CopiesCounted = { offered: {}, taken: {} };

export class CopyCounts {
  // BOUNDED by the outcomes and reasons that there are
  readonly #offered = new Map<string, number>();
  readonly #taken = new Map<string, number>();

  offered(outcome: OfferOutcome): void {
    bump(this.#offered, outcome.kind === 'declined' ? outcome.why : outcome.kind);
  }

  taken(outcome: Taken): void {
    const isDeclined = outcome.kind === 'refused' || outcome.kind === 'failed';
    bump(this.#taken, isDeclined ? outcome.why : outcome.kind);
  }

  snapshot(): CopiesCounted {
    return { offered: Object.fromEntries(this.#offered), taken: Object.fromEntries(this.#taken) };
  }
}

function bump(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
