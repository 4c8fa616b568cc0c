/** Waiting for the next change of something, by any number of parties. */
export class Tide {
  #waiting = Promise.withResolvers<void>();

  /** Resolves at the next `rise`. */
  next(): Promise<void> {
    return this.#waiting.promise;
  }

  rise(): void {
    this.#waiting.resolve();
    this.#waiting = Promise.withResolvers<void>();
  }
}
