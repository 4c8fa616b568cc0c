/**
 * Values in memory that together cost no more than they may: what was unused for longest makes room
 * for what is new. It knows nothing of the values.
 */

/** What an entry costs besides its value, so that empty ones are not free. */
const entryCost = 512;

interface Entry<V> {
  readonly value: V;
  readonly cost: number;
  /** Since it was last looked at for being in the way. */
  isUsed: boolean;
}

/**
 * What is used is only marked, not moved: reading is what happens tens of thousands of times a
 * second. Whoever is oldest and marked gets a second chance instead of being removed.
 */
export class BudgetedMap<V> {
  readonly #entries = new Map<string, Entry<V>>(); // BOUNDED by costMax, see set()
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
    entry.isUsed = true;
    return entry.value;
  }

  set(key: string, value: V, cost: number): void {
    this.#remove(key);
    // A key may be longer than its value: any number of long paths may lead to one small file.
    const whole = cost + key.length + entryCost;
    this.#entries.set(key, { value, cost: whole, isUsed: false });
    this.#cost += whole;
    // Comes to an end: each is passed over once at most.
    for (const [oldest, entry] of this.#entries) {
      if (this.#cost <= this.#costMax) return;
      if (!entry.isUsed) {
        this.#remove(oldest);
        continue;
      }
      entry.isUsed = false;
      this.#entries.delete(oldest);
      this.#entries.set(oldest, entry);
    }
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#cost -= entry.cost;
  }
}
