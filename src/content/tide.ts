/** Waiting for the next change of something, by any number of parties. */
export class Tide {
  /** Undefined while nobody waits: it rises with each block, and few wait for all of them. */
  #waiting: PromiseWithResolvers<void> | undefined;

  /** Resolves at the next `rise`. */
  next(): Promise<void> {
    this.#waiting ??= Promise.withResolvers<void>();
    return this.#waiting.promise;
  }

  rise(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve();
  }
}
