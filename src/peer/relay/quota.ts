/**
 * Places of which nobody may take all: so many in all, and so many for each group that a taker
 * belongs to. It does not know what they are places for.
 */
export interface QuotaGroup<R extends string> {
  /** Equal names share a limit. */
  readonly name: string;
  readonly max: number;
  /** What is told to who is one too many. */
  readonly refusal: R;
}

export class Quota<R extends string> {
  readonly #max: number;
  readonly #full: R;
  readonly #taken = new Map<string, number>(); // BOUNDED by #max times the groups of one taker
  #count = 0;

  constructor(max: number, full: R) {
    this.#max = max;
    this.#full = full;
  }

  get count(): number {
    return this.#count;
  }

  /** What gives the place back (once), or why there is none. */
  take(groups: readonly QuotaGroup<R>[]): (() => void) | R {
    if (this.#count >= this.#max) return this.#full;
    const over = groups.find(({ name, max }) => (this.#taken.get(name) ?? 0) >= max);
    if (over) return over.refusal;
    this.#count++;
    for (const { name } of groups) this.#taken.set(name, (this.#taken.get(name) ?? 0) + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#count--;
      for (const { name } of groups) this.#giveBack(name);
    };
  }

  #giveBack(name: string): void {
    const left = (this.#taken.get(name) ?? 1) - 1;
    if (left > 0) this.#taken.set(name, left);
    else this.#taken.delete(name);
  }
}
