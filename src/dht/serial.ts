/** Runs what concerns one key in order: a record is judged only when the one before is in place. */

export class Serial {
  readonly #tails = new Map<string, Promise<unknown>>(); // BOUNDED by pendingMax
  readonly #pendingMax: number;
  #pending = 0;

  constructor(pendingMax: number) {
    this.#pendingMax = pendingMax;
  }

  /** Whether another task must be refused for now. */
  get full(): boolean {
    return this.#pending >= this.#pendingMax;
  }

  /** Settles as `task` does, which begins when all earlier ones of `key` have settled. */
  async run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key);
    const turn = before ? before.then(task, task) : task();
    this.#tails.set(key, turn);
    this.#pending++;
    try {
      return await turn;
    } finally {
      this.#pending--;
      if (this.#tails.get(key) === turn) this.#tails.delete(key);
    }
  }
}
