/**
 * How much of one endpoint runs at the same time: who comes when it is full is told to try again,
 * so that neither a script nor a fault of one can take the node from everybody else.
 */
import { AltNetError } from '../base/errors.ts';

export class Admission {
  readonly #running = new Map<string, number>(); // BOUNDED by the endpoints, see run()

  /** Settles as `work` does. Rejects with BUSY, without calling it. */
  async run<T>(
    { name, atOnceMax }: { readonly name: string; readonly atOnceMax: number },
    work: () => Promise<T>,
  ): Promise<T> {
    const running = this.#running.get(name) ?? 0;
    if (running >= atOnceMax) throw new AltNetError('BUSY', { what: name });
    this.#running.set(name, running + 1);
    try {
      return await work();
    } finally {
      const left = (this.#running.get(name) ?? 1) - 1;
      if (left > 0) this.#running.set(name, left);
      else this.#running.delete(name);
    }
  }
}
