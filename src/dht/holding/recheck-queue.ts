/**
 * The names that wait for a check, each once, and when. Claims from one network of the Internet get
 * one check a minute: who claims a thousand names must not make us ask around a thousand times.
 */
import { type Bytes, toHex } from '../../base/bytes.ts';
import type { Clock } from '../../base/clock.ts';
import { LruMap } from '../../base/limits.ts';
import { isSender } from '../rules/source.ts';
import type { Claim } from './storage.ts';

export interface RecheckQueueOptions {
  /** Checks that wait. */
  readonly rechecksMax: number;
  /** Between two checks that claims from one network cause. */
  readonly recheckSourceIntervalMs: number;
}

interface Check {
  readonly key: Bytes;
  /** Monotonic. */
  readonly dueMs: number;
}

/** Networks whose last check is remembered. */
const sourcesMax = 1024;
/** No further ahead do claims of one network wait, so that it does not take all places. */
const aheadMaxMs = 3_600_000;

export class RecheckQueue {
  readonly #clock: Clock;
  readonly #options: RecheckQueueOptions;
  readonly #waiting = new Map<string, Check>(); // BOUNDED by rechecksMax
  /** When a source may cause the next check: monotonic. */
  readonly #sources = new LruMap<string, number>(sourcesMax);

  constructor(clock: Clock, options: RecheckQueueOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** As soon as its source may cause another. What finds no place is found by the next sweep. */
  addClaim({ key, source }: Claim): void {
    if (!isSender(source)) return this.add(key, 0);
    const nowMs = this.#clock.monotonicMs();
    const dueMs = Math.max(nowMs, this.#sources.get(source) ?? 0);
    if (dueMs - nowMs >= aheadMaxMs) return;
    const before = this.size;
    this.add(key, dueMs - nowMs);
    if (this.size > before) {
      this.#sources.set(source, dueMs + this.#options.recheckSourceIntervalMs);
    }
  }

  /** In so many milliseconds; earlier if it waits already for an earlier one. */
  add(key: Bytes, delayMs: number): void {
    const id = toHex(key);
    const dueMs = this.#clock.monotonicMs() + delayMs;
    const known = this.#waiting.get(id);
    if (known ? known.dueMs <= dueMs : this.size >= this.#options.rechecksMax) return;
    this.#waiting.set(id, { key, dueMs });
  }

  /** Milliseconds until a check is due; undefined when none waits. */
  untilDueMs(): number | undefined {
    const first = this.#first();
    return first && Math.max(0, first.dueMs - this.#clock.monotonicMs());
  }

  /** The key whose check is due, taken from the queue. */
  takeDue(): Bytes | undefined {
    const first = this.#first();
    if (!first || first.dueMs > this.#clock.monotonicMs()) return undefined;
    this.#waiting.delete(toHex(first.key));
    return first.key;
  }

  #first(): Check | undefined {
    let first: Check | undefined;
    for (const check of this.#waiting.values()) {
      if (!first || check.dueMs < first.dueMs) first = check;
    }
    return first;
  }
}
