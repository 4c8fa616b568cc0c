/**
 * Values in memory that together cost no more than they may: what was unused for longest makes room
 * for what is new. It knows nothing of the values.
 */

/** What an entry costs besides its value, so that empty ones are not free. */
const entryCost = 512;

export class BudgetedMap<V> {
  /** BOUNDED by costMax, see set(). */
  readonly #entries = new Map<string, { readonly value: V; readonly cost: number }>();
  readonly #costMax: number;
  #cost = 0;

  /** In whatever unit `set` is told; bytes, mostly. */
  constructor(costMax: number) {
    this.#costMax = costMax;
  }

  /** Marks the entry as used. */
  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key: string, value: V, cost: number): void {
    this.#remove(key);
    this.#entries.set(key, { value, cost: cost + entryCost });
    this.#cost += cost + entryCost;
    for (const oldest of this.#entries.keys()) {
      if (this.#cost <= this.#costMax) return;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#cost -= entry.cost;
  }
}
