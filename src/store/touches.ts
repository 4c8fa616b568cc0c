/** When holdings were used, until it is written down: most of that is soon out of date again. */
import type { Bytes } from '../base/bytes.ts';
import type { CancelTimer, World } from '../base/clock.ts';
import type { StoredHolding } from './holding-codec.ts';
import { textOf } from './tables.ts';

const writtenAfterMs = 60_000;
const touchedMax = 4096;

export class Touches {
  readonly #world: World;
  readonly #onDue: () => void;
  /** By root. BOUNDED by touchedMax, see touch() */
  readonly #touched = new Map<string, { hash: Bytes; usedMs: number }>();
  #cancel: CancelTimer | undefined;

  /** `onDue` writes down what `take` gives. */
  constructor(world: World, onDue: () => void) {
    this.#world = world;
    this.#onDue = onDue;
  }

  touch(hash: Bytes): void {
    const usedMs = this.#world.clock.unixMs();
    this.#touched.set(textOf(hash), { hash: hash.slice(), usedMs });
    if (this.#touched.size >= touchedMax) this.#onDue();
    else this.#cancel ??= this.#world.timers.after(writtenAfterMs, this.#onDue);
  }

  usedMs({ root, usedMs }: StoredHolding): number {
    const touched = root && this.#touched.get(textOf(root.hash));
    return Math.max(touched?.usedMs ?? 0, usedMs);
  }

  /** What is to be written down; from now on it counts as written. */
  take(): { readonly hash: Bytes; readonly usedMs: number }[] {
    this.#cancel?.();
    this.#cancel = undefined;
    const taken = [...this.#touched.values()];
    this.#touched.clear();
    return taken;
  }
}
