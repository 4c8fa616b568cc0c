/** Who wants to know of a change, and telling them. */
import type { StopListening } from './ports.ts';

export class Listeners {
  readonly #listeners = new Set<() => void>(); // BOUNDED by the parts of a node

  add(listener: () => void): StopListening {
    const entry = (): void => listener(); // the same function may be given twice
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
