/** Counts what became of the offers of one root, as the user is told. */
import type { ReplicaRefusal, Replication } from '../types.ts';
import type { OfferOutcome } from './keep-client.ts';

const reasonsMax = 8;

export class Tally {
  readonly #wanted: number;
  readonly #refused = new Map<ReplicaRefusal, number>(); // BOUNDED by the reasons there are
  #asked = 0;
  made = 0;

  constructor(wanted: number) {
    this.#wanted = wanted;
  }

  count(outcome: OfferOutcome): void {
    if (outcome.kind !== 'declined') {
      this.#asked++;
      this.made++;
      return;
    }
    // Who keeps nothing for anybody, or knows better, says nothing of its room.
    if (outcome.why === 'not-a-keeper' || outcome.why === 'superseded') return;
    this.#asked++;
    this.#refused.set(outcome.why, (this.#refused.get(outcome.why) ?? 0) + 1);
  }

  result(): Replication {
    const wanted = this.#wanted;
    if (this.made >= wanted) return { replicas: this.made, wanted, refused: [] };
    const refused = [...this.#refused].map(([why, nodes]) => ({ why, nodes }));
    if (this.#asked < wanted) refused.push({ why: 'too-few', nodes: wanted - this.#asked });
    const mostFirst = refused.toSorted((a, b) => b.nodes - a.nodes);
    return { replicas: this.made, wanted, refused: mostFirst.slice(0, reasonsMax) };
  }
}
