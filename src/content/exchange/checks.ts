/**
 * What follows once blocks that came are known to be right: in the order in which they came, while
 * more is received. Whoever receives waits when too much is under way. It hashes nothing.
 */
import { Tide } from '../tide.ts';

/** A leaf is verified in a millisecond; what comes meanwhile must not pile up. */
const bytesMax = 1024 * 1024;

export class Checks {
  readonly #onFailure: (error: unknown) => void;
  readonly #change = new Tide();
  #last: Promise<void> = Promise.resolve();
  #count = 0;
  #bytes = 0;
  #hasFailed = false;

  /** `onFailure` is told the first failure; what would have come after it is left out. */
  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** `work` begins when all before it has ended: at once, if nothing is under way. */
  add(bytes: number, work: () => Promise<void>): void {
    this.#count++;
    this.#bytes += bytes;
    this.#last = this.#after(this.#last, bytes, work);
  }

  /** Undefined when there is room for more. */
  room(): Promise<void> | undefined {
    return this.#bytes < bytesMax ? undefined : this.#untilRoom();
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Resolves when nothing is under way; never rejects. */
  async settled(): Promise<void> {
    while (!this.isEmpty) await this.#last;
  }

  async #untilRoom(): Promise<void> {
    while (this.#bytes >= bytesMax) await this.#change.next();
  }

  async #after(before: Promise<void>, bytes: number, work: () => Promise<void>): Promise<void> {
    await before;
    try {
      if (!this.#hasFailed) await work();
    } catch (error) {
      this.#hasFailed = true;
      this.#onFailure(error);
    }
    this.#count--;
    this.#bytes -= bytes;
    this.#change.rise();
  }
}
