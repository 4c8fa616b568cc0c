/**
 * Asks all contacts of the table whether they are there, after many of them were found not to be:
 * half of a network that went at once is out of the table in seconds instead of half an hour. When
 * it is this node that is cut off, asking all of them helps nobody: then the table is given up
 * after a second attempt, and who knows nobody looks for a way back at a pace of its own.
 *
 *   in:  suspect (many failed), all (the node woke up), a round
 *   out: PINGs, when the next round is due, loseAll
 */
import type { World } from '../base/clock.ts';
import { forEachOf } from '../base/parallel.ts';
import type { Routing } from './lookup/routing.ts';
import type { TableEntry } from './table/table.ts';

/** Who answered within this time need not be asked. */
const freshMs = 30_000;
/** A table that looks wrong again so soon is wrong for another reason. */
const restMs = 120_000;
/** PINGs at a time; as many go first, and tell whether this node reaches anybody. */
const atOnce = 16;
/** When nobody answered: after so long again, as most cables are back by then. */
const againMs = 6000;

export interface SweepDeps {
  readonly world: World;
  readonly routing: Pick<Routing, 'table' | 'ping' | 'loseAll'>;
}

export class Sweep {
  readonly #deps: SweepDeps;
  /** Monotonic; undefined while there is nothing to do. */
  #dueMs: number | undefined;
  #restUntilMs = Number.NEGATIVE_INFINITY;
  #freshMs: number = freshMs;
  /** Whether nobody answered the last time. */
  #isSilent = false;

  constructor(deps: SweepDeps) {
    this.#deps = deps;
  }

  /** Many failed. */
  suspect(): void {
    const nowMs = this.#deps.world.clock.monotonicMs();
    if (nowMs >= this.#restUntilMs) this.#dueMs ??= nowMs;
  }

  /** Nothing that the table says can be relied on. */
  all(): void {
    this.#dueMs = this.#deps.world.clock.monotonicMs();
    this.#freshMs = 0;
    this.#isSilent = false;
  }

  /** Undefined while there is nothing to do. */
  untilDueMs(): number | undefined {
    if (this.#dueMs === undefined) return undefined;
    return Math.max(0, this.#dueMs - this.#deps.world.clock.monotonicMs());
  }

  /** Whether somebody answered. */
  async round(signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#deps.world;
    this.#dueMs = undefined;
    const entries = this.#inAnyOrder(clock.monotonicMs());
    const first = entries.slice(0, atOnce);
    if (first.length === 0) return false;
    // Silence of a few, while many answered lately, is theirs.
    const isTelling = first.length >= Math.min(atOnce, this.#deps.routing.table.size);
    const answered = await this.#ask(first, signal);
    signal.throwIfAborted();
    if (answered === 0) {
      this.#hearNobody(isTelling);
      return false;
    }
    await this.#ask(entries.slice(atOnce), signal);
    // Two misses in a row end a contact; the second time is now.
    await this.#ask(this.#missed(), signal);
    this.#freshMs = freshMs;
    this.#isSilent = false;
    this.#restUntilMs = clock.monotonicMs() + restMs;
    return true;
  }

  /** Soon all are asked; when nobody answers for the second time in a row, it is us. */
  #hearNobody(isTelling: boolean): void {
    const { routing, world } = this.#deps;
    const isCutOff = isTelling && this.#isSilent;
    this.#isSilent = isTelling && !isCutOff;
    this.#freshMs = isCutOff ? freshMs : 0;
    if (isCutOff) routing.loseAll();
    else this.#dueMs = world.clock.monotonicMs() + againMs * this.#jitter();
  }

  async #ask(entries: readonly TableEntry[], signal: AbortSignal): Promise<number> {
    let answered = 0;
    await forEachOf(entries, atOnce, async ({ contact }) => {
      signal.throwIfAborted();
      if (await this.#deps.routing.ping(contact, signal)) answered++;
    });
    return answered;
  }

  #inAnyOrder(nowMs: number): readonly TableEntry[] {
    const { random } = this.#deps.world;
    return this.#deps.routing.table
      .entries()
      .filter(({ seenMs, misses }) => misses > 0 || nowMs - seenMs >= this.#freshMs)
      .map((entry) => ({ entry, lot: random.fraction() }))
      .toSorted((a, b) => a.lot - b.lot)
      .map(({ entry }) => entry);
  }

  #missed(): readonly TableEntry[] {
    return this.#deps.routing.table.entries().filter(({ misses }) => misses > 0);
  }

  #jitter(): number {
    return 0.75 + 0.5 * this.#deps.world.random.fraction();
  }
}
