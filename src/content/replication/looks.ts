/** What was seen of the copies of this user's own sites when each of them was last looked at. */
import type { Bytes } from '../../base/bytes.ts';
import type { Clock } from '../../base/clock.ts';
import { hashKey } from '../dag/root.ts';
import type { HeldRoot } from '../ports.ts';

/** How the own sites are doing. */
export interface CopiesHealth {
  /** Own roots with fewer live copies than wanted when they were last looked at. */
  readonly few: number;
  /** Unix milliseconds: the latest look at any of them; undefined before the first. */
  readonly lookedMs: number | undefined;
}

interface Look {
  readonly hash: Bytes;
  readonly copies: number;
  readonly atMs: number;
}

export class Looks {
  readonly #clock: Clock;
  readonly #wanted: number;
  /** BOUNDED by the own roots that are held, see keep(). */
  readonly #seen = new Map<string, Look>();

  constructor(clock: Clock, wanted: number) {
    this.#clock = clock;
    this.#wanted = wanted;
  }

  /** So many others have it, all of it. */
  saw(hash: Bytes, copies: number): void {
    this.#seen.set(hashKey(hash), { hash, copies, atMs: this.#clock.unixMs() });
  }

  /** It is not held any more. */
  forget(hash: Bytes): void {
    this.#seen.delete(hashKey(hash));
  }

  /** Forgets all but the own ones among `roots`. */
  keep(roots: readonly HeldRoot[]): void {
    const own = new Set(
      roots.filter(({ kind }) => kind === 'own').map(({ hash }) => hashKey(hash)),
    );
    for (const key of this.#seen.keys()) if (!own.has(key)) this.#seen.delete(key);
  }

  /** `isKept` is asked of those with few copies alone: what went meanwhile lacks none. */
  health(isKept: (hash: Bytes) => boolean): CopiesHealth {
    const looks = [...this.#seen.values()];
    const few = looks.filter(({ hash, copies }) => copies < this.#wanted && isKept(hash)).length;
    const lookedMs = looks.reduce((latest, { atMs }) => Math.max(latest, atMs), -Infinity);
    return { few, lookedMs: looks.length > 0 ? lookedMs : undefined };
  }
}
