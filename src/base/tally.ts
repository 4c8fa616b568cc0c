/** Counts since the start by name, for an operator. It does not know what is counted. */

export class Tally<N extends string = string> {
  /** BOUNDED by the names, which are constants of the program. */
  readonly #counts = new Map<N, number>();

  add(name: N): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  snapshot(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }
}
