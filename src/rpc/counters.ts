/**
 * How often each thing happened, by name: what was refused and why, what was sent and answered.
 * The names are constants of this folder's code, never text of a peer.
 */

export class Counters {
  readonly #counts = new Map<string, number>(); // BOUNDED by the names that the code uses

  add(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  /** The counts so far, as a copy. */
  snapshot(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }
}
