/**
 * In which order, and how fast, a node announces again all that it holds, when its addresses have
 * changed: until that is done nobody finds it there. How one root is announced it does not know.
 */
import { sleep } from '../base/abort.ts';
import type { Timers } from '../base/clock.ts';
import type { HeldRoot } from './ports.ts';
import type { Announced } from './provide.ts';

/**
 * Finding who stores a record takes four or five round trips, so one after the other would leave
 * the line idle. More than this would fill the line of a home upwards: 3 Mbit/s.
 */
const atOnceMax = 4;
/**
 * Storers take 20 requests a second from one address, and are silent about more. A storer gets two
 * for each announcement, and this node's users have requests of their own.
 */
const gapMs = 160;
/** Where they are silent all the same. */
const pauseMinMs = 50;
const pauseMaxMs = 400;
/** So many in a row that storers took show that there may be more at a time. */
const goodMin = 2;
/** Less than this share of those that were asked is too few: a reader may ask any of them. */
const enoughShare = 1 / 4;
/** How far one announcement moves what is usual. */
const usualShare = 1 / 4;
/** So many in a row that most storers want later are no accident. */
const putOffMin = 2;
/** Storers count by the minute. */
const restMaxMs = 60_000;
/** A root that storers want later is announced so often in all; then the publisher sees to it. */
const triesMax = 3;

/**
 * How many at a time, and how far apart: ever more while storers take what they are given, fewer
 * where they do not, none until they will. Who knows few others has all of its records go to the
 * same few.
 */
export class AnnouncingTempo {
  #atOnce = 1;
  #pauseMs = 0;
  #good = 0;
  #putOff = 0;
  #restMs = 0;
  /** How many are asked; of those that are silent to all that a node says, none seem to be. */
  #usual = 0;
  /** Who took the last one, and which share of them takes the next one as well. */
  #holders: ReadonlySet<string> = new Set(); // BOUNDED by the storers of one record
  #shared: number | undefined;

  get atOnce(): number {
    return this.#atOnce;
  }

  /** Before the next one begins. */
  get pauseMs(): number {
    return Math.max(this.#pauseMs, gapMs * (this.#shared ?? 0));
  }

  /** How long nothing should be announced; asking for it ends that. */
  takeRest(): number {
    const restMs = this.#restMs;
    this.#restMs = 0;
    return restMs;
  }

  took({ stored, asked, holders, waitMs }: Announced): void {
    if (asked === 0) return; // nobody is known: the publisher waits for somebody
    const expected = Math.max(asked, this.#usual);
    this.#usual += (asked - this.#usual) * (this.#usual === 0 ? 1 : usualShare);
    this.#compare(holders);
    if (waitMs > 0) this.#rest(waitMs);
    else if (stored < enoughShare * expected) this.#slowDown();
    else this.#speedUp();
  }

  #compare(holders: readonly string[]): void {
    if (holders.length === 0) return;
    if (this.#holders.size > 0) {
      const shared = holders.filter((id) => this.#holders.has(id)).length / holders.length;
      const before = this.#shared ?? shared;
      this.#shared = before + (shared - before) * usualShare;
    }
    this.#holders = new Set(holders); // BOUNDED likewise
  }

  #rest(waitMs: number): void {
    this.#atOnce = 1;
    this.#good = 0;
    if (++this.#putOff >= putOffMin) {
      this.#restMs = Math.min(Math.max(waitMs, this.#restMs), restMaxMs);
    }
  }

  #slowDown(): void {
    this.#good = 0;
    this.#putOff = 0;
    if (this.#atOnce > 1) this.#atOnce = Math.floor(this.#atOnce / 2);
    else this.#pauseMs = Math.min(Math.max(pauseMinMs, 2 * this.#pauseMs), pauseMaxMs);
  }

  #speedUp(): void {
    this.#putOff = 0;
    if (++this.#good < goodMin) return;
    this.#good = 0;
    if (this.#pauseMs > pauseMinMs) this.#pauseMs /= 2;
    else if (this.#pauseMs > 0) this.#pauseMs = 0;
    else this.#atOnce = Math.min(this.#atOnce + 1, atOnceMax);
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

/** A root that waits, and how often it was announced. */
interface Turn {
  readonly holding: HeldRoot;
  readonly tries: number;
}

/**
 * `announce` says what became of it. Rejects with its first failure, or the signal's reason, once
 * those under way have ended.
 */
export async function announceAll(
  holdings: readonly HeldRoot[],
  announce: (holding: HeldRoot) => Promise<Announced>,
  { timers, signal }: { readonly timers: Timers; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const tempo = new AnnouncingTempo();
  const turns = inOrderOfNeed(holdings)
    .map((holding): Turn => ({ holding, tries: 0 }))
    .values();
  const again: Turn[] = []; // BOUNDED by holdings: each is under way, or here, or done
  const running = new Set<Promise<void>>(); // BOUNDED by atOnceMax
  const failures: unknown[] = []; // BOUNDED by atOnceMax: after the first no new one begins
  const announceOne = async ({ holding, tries }: Turn): Promise<void> => {
    try {
      const announced = await announce(holding);
      tempo.took(announced);
      if (announced.waitMs > 0 && tries + 1 < triesMax) again.push({ holding, tries: tries + 1 });
    } catch (error) {
      failures.push(error);
    }
  };
  const begin = (turn: Turn): void => {
    const one = announceOne(turn).finally(() => running.delete(one));
    running.add(one);
  };
  const next = async (): Promise<Turn | undefined> => {
    for (;;) {
      while (running.size >= tempo.atOnce) await Promise.race(running);
      const turn = again.shift() ?? turns.next().value;
      if (turn || running.size === 0) return turn;
      await Promise.race(running); // it may have to be announced again
    }
  };
  try {
    for (let turn = await next(); turn && failures.length === 0; turn = await next()) {
      const waitMs = Math.max(tempo.takeRest(), tempo.pauseMs);
      if (waitMs > 0) await sleep(timers, waitMs, signal);
      signal?.throwIfAborted();
      begin(turn);
    }
  } finally {
    await Promise.all(running);
  }
  if (failures.length > 0) throw failures[0];
}
