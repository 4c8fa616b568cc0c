/**
 * Long work on the one thread of the process, in short pieces: asking the system about ten thousand
 * files takes a tenth of the time when it is not handed to other threads call by call, but nothing
 * else goes on meanwhile. Knows nothing of the work.
 */
import { setImmediate } from 'node:timers/promises';

/** After this long the others get their turn: timers, packets, what came from the disk. */
const turnMs = 3;

export class Turns {
  readonly #signal: AbortSignal | undefined;
  #sinceMs = performance.now();

  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  /** To be waited for between two steps of the work. Rejects with the signal's reason. */
  next(): Promise<void> | undefined {
    return performance.now() - this.#sinceMs < turnMs ? undefined : this.#pass();
  }

  async #pass(): Promise<void> {
    await setImmediate();
    this.#signal?.throwIfAborted();
    this.#sinceMs = performance.now();
  }
}
