/**
 * In which order, and how fast, a node announces again all that it holds, when its addresses have
 * changed: until that is done nobody finds it there. How one root is announced it does not know.
 */
import { sleep } from '../base/abort.ts';
import type { Timers } from '../base/clock.ts';
import type { HeldRoot } from './ports.ts';

/**
 * Finding who stores a record takes four or five round trips, so one after the other would leave
 * the line idle. More than this would fill the line of a home upwards: 3 Mbit/s.
 */
const atOnceMax = 4;
/** Storers take 20 requests a second from one address, and are silent about more. */
const pauseMinMs = 50;
const pauseMaxMs = 400;
/** So many in a row that all storers took show that there may be more at a time. */
const goodMin = 4;

/**
 * How many at a time, and how far apart: ever more while storers take what they are given, one by
 * one where they do not. Who knows few others has all of its records go to the same few.
 */
export class AnnouncingTempo {
  #atOnce = 1;
  #pauseMs = 0;
  #best = 0;
  #good = 0;

  get atOnce(): number {
    return this.#atOnce;
  }

  /** Between the beginnings of two. */
  get pauseMs(): number {
    return this.#pauseMs;
  }

  /** So many nodes took a record. */
  took(stored: number): void {
    this.#best = Math.max(this.#best, stored);
    // A quarter is enough to be found; the others get it when it is stored again.
    if (4 * stored < this.#best) {
      this.#atOnce = 1;
      this.#pauseMs = Math.min(Math.max(pauseMinMs, 2 * this.#pauseMs), pauseMaxMs);
      this.#good = 0;
    } else if (++this.#good >= goodMin) {
      this.#good = 0;
      if (this.#pauseMs > pauseMinMs) this.#pauseMs /= 2;
      else if (this.#pauseMs > 0) this.#pauseMs = 0;
      else this.#atOnce = Math.min(this.#atOnce + 1, atOnceMax);
    }
  }
}

/** Those first that nobody else may have, then those that were used last. */
export function inOrderOfNeed(all: readonly HeldRoot[]): readonly HeldRoot[] {
  return all
    .filter(({ complete }) => complete)
    .toSorted((a, b) => rankOf(a) - rankOf(b) || b.usedMs - a.usedMs);
}

/** Own ones, what others rely on as well, and earlier versions, which go soon. */
function rankOf({ kind, supersededMs }: HeldRoot): number {
  if (supersededMs !== undefined) return 2;
  return kind === 'own' ? 0 : 1;
}

/**
 * `announce` says how many nodes took it. Rejects with its first failure, or the signal's reason,
 * once those under way have ended.
 */
export async function announceAll(
  holdings: readonly HeldRoot[],
  announce: (holding: HeldRoot) => Promise<number>,
  { timers, signal }: { readonly timers: Timers; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const tempo = new AnnouncingTempo();
  const running = new Set<Promise<void>>(); // BOUNDED by atOnceMax
  const failures: unknown[] = []; // BOUNDED by atOnceMax: after the first no new one begins
  const begin = (holding: HeldRoot): void => {
    const one = announce(holding)
      .then((stored) => tempo.took(stored))
      .catch((error: unknown) => void failures.push(error))
      .finally(() => running.delete(one));
    running.add(one);
  };
  try {
    for (const holding of inOrderOfNeed(holdings)) {
      while (running.size >= tempo.atOnce) await Promise.race(running);
      if (failures.length > 0) break;
      if (tempo.pauseMs > 0) await sleep(timers, tempo.pauseMs, signal);
      signal?.throwIfAborted();
      begin(holding);
    }
  } finally {
    await Promise.all(running);
  }
  if (failures.length > 0) throw failures[0];
}
