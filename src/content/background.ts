/** Work that nobody waits for; its failure is only worth a line in the log. */
import type { Logger } from '../base/logger.ts';

export class Background {
  readonly #log: Logger;
  readonly #tasks = new Set<Promise<void>>(); // BOUNDED by those who add to it

  constructor(log: Logger) {
    this.#log = log;
  }

  add(work: Promise<unknown>): void {
    const task = work
      .then(
        () => undefined,
        (error: unknown) => this.#log.debug('background work failed', { why: String(error) }),
      )
      .finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }

  /** Resolves when nothing of it runs any more, what was added meanwhile included. */
  async settled(): Promise<void> {
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }
}
