/**
 * Whether a name exists, for who can wait only seconds: from memory, or by a search in the network
 * that several may wait for and that outlives their patience, so that whoever asks again finds the
 * answer. What questions can make this node search is bounded. It knows neither records of the DNS
 * nor where a name leads.
 */
import { untilAborted, withDeadline } from '../base/abort.ts';
import { type BucketSize, TokenBucket } from '../base/buckets.ts';
import type { World } from '../base/clock.ts';
import { AltNetError, type ErrorCode, isAltNetError } from '../base/errors.ts';
import { LruMap } from '../base/limits.ts';
import type { NameResolver } from '../name/types.ts';
import type { DnsCounters } from './counters.ts';
import { Seats } from './seats.ts';
import type { Source } from './sources.ts';

export interface ExistenceOptions {
  /** How long a name that exists is not looked at again … */
  readonly freshMs: number;
  /** … and how long it is answered at once while somebody looks. */
  readonly staleMs: number;
  /** How long a name is taken for absent: who registers one wants to see it. */
  readonly absentMs: number;
  /** How long a question waits: less than the resolvers that ask, which then ask again. */
  readonly patienceMs: number;
  /** Searches that all sources together can cause. */
  readonly lookups: BucketSize;
  readonly lookupsMax: number;
  /** Questions that wait for one. */
  readonly waitingMax: number;
}

export const existenceDefaults: ExistenceOptions = {
  freshMs: 10_000,
  staleMs: 3_600_000,
  absentMs: 3000,
  patienceMs: 4000,
  lookups: { perSecond: 50, burst: 200 },
  lookupsMax: 128,
  waitingMax: 1024,
};

/**
 * Names that exist, and names that do not, apart: who makes names up must not push the others out.
 */
const presentMax = 8192;
const absentMax = 4096;

export type Existence =
  | { readonly state: 'present' | 'absent' }
  /** Nobody can say. `why`: LIMITED when this node does not even ask. */
  | { readonly state: 'unknown'; readonly why: ErrorCode | 'LIMITED' };

const present: Existence = { state: 'present' };
const absent: Existence = { state: 'absent' };
const limited: Existence = { state: 'unknown', why: 'LIMITED' };

interface Deps {
  readonly names: NameResolver;
  readonly world: World;
  readonly counters: DnsCounters;
}

export class NameExistence {
  readonly #deps: Deps;
  readonly #options: ExistenceOptions;
  readonly #budget: TokenBucket;
  /** Of them, for all but this machine. */
  readonly #budgetOfOthers: TokenBucket;
  readonly #lookups: Seats;
  readonly #waits: Seats;
  readonly #stopping = new AbortController();
  /** Until when (monotonic) it need not be looked at, by name. */
  #present = new LruMap<string, { readonly seenMs: number; checkMs: number }>(presentMax);
  #absent = new LruMap<string, { readonly untilMs: number }>(absentMax);
  /** BOUNDED by lookupsMax. */
  readonly #jobs = new Map<string, Promise<Existence>>();
  /** What was asked before the last `forget` is not remembered. */
  #age = 0;

  constructor(deps: Deps, options: ExistenceOptions) {
    this.#deps = deps;
    this.#options = options;
    const { lookups, lookupsMax, waitingMax } = options;
    const half = { perSecond: lookups.perSecond / 2, burst: lookups.burst / 2 };
    this.#budget = new TokenBucket(deps.world.clock, lookups);
    this.#budgetOfOthers = new TokenBucket(deps.world.clock, half);
    this.#lookups = new Seats(lookupsMax);
    this.#waits = new Seats(waitingMax);
  }

  /** Ends every search; resolves when none is left. */
  async stop(): Promise<void> {
    this.#stopping.abort(new AltNetError('ABORTED', {}));
    await Promise.allSettled(this.#jobs.values());
  }

  /** After a name was written here: one that was absent is to be there at once. */
  forgetAbsent(): void {
    this.#age++;
    this.#absent = new LruMap(absentMax);
    this.#jobs.clear();
  }

  /** After those who give names have changed: what was there may be absent as well. */
  forgetAll(): void {
    this.forgetAbsent();
    this.#present = new LruMap(presentMax);
  }

  /** At once where it is known: for who cannot wait there is no promise to wait for. */
  find(name: string, source: Source): Existence | Promise<Existence> {
    const nowMs = this.#nowMs();
    // As used it is marked when it is looked at again: to do so each time costs more than the rest.
    const known = this.#present.peek(name);
    if (known && nowMs < known.seenMs + this.#options.staleMs) {
      if (nowMs >= known.checkMs) this.#refresh(name, known, source);
      return present;
    }
    const gone = this.#absent.get(name);
    if (gone && nowMs < gone.untilMs) return absent;
    const job = this.#jobs.get(name) ?? this.#begin(name, source);
    return job ? this.#wait(name, job, source) : limited;
  }

  /**
   * One question of many finds out whether it is still so; whatever comes of that, it waits a
   * while.
   */
  #refresh(name: string, known: { checkMs: number }, source: Source): void {
    known.checkMs = this.#nowMs() + this.#options.freshMs;
    this.#present.get(name);
    if (!this.#jobs.has(name)) void this.#begin(name, source);
  }

  async #wait(name: string, job: Promise<Existence>, { isHere }: Source): Promise<Existence> {
    const giveBack = this.#waits.take(isHere);
    if (!giveBack) return limited;
    const { timers } = this.#deps.world;
    const limit = {
      timers,
      ms: this.#options.patienceMs,
      what: name,
      signal: this.#stopping.signal,
    };
    try {
      return await withDeadline(limit, (signal) => untilAborted(job, signal));
    } catch (error) {
      return { state: 'unknown', why: isAltNetError(error) ? error.code : 'INTERNAL' };
    } finally {
      giveBack();
    }
  }

  /** Undefined when there is no more to be had of searches. */
  #begin(name: string, source: Source): Promise<Existence> | undefined {
    const { counters } = this.#deps;
    const giveBack = this.#stopping.signal.aborted ? undefined : this.#lookups.take(source.isHere);
    if (!giveBack || !this.#mayLook(source)) {
      giveBack?.();
      counters.limited('lookups');
      return undefined;
    }
    counters.lookup();
    const job = this.#look(name, this.#age).finally(() => {
      giveBack();
      if (this.#jobs.get(name) === job) this.#jobs.delete(name);
    });
    this.#jobs.set(name, job);
    return job;
  }

  /** The share of the source first: one that has used up its own takes nothing from the others. */
  #mayLook(source: Source): boolean {
    if (!source.takeLookup()) return false;
    return (source.isHere || this.#budgetOfOthers.take()) && this.#budget.take();
  }

  /** Never rejects. */
  async #look(name: string, age: number): Promise<Existence> {
    try {
      const { signal } = this.#stopping;
      const { state, asked } = await this.#deps.names.resolve(name, { signal });
      // Alone, this node finds nothing, which says nothing to who remembers it.
      if (state === 'not-found' && asked === 0) return { state: 'unknown', why: 'NO_PEERS' };
      return this.#keep(name, age, state !== 'not-found');
    } catch (error) {
      // What cannot be a name is none.
      if (isAltNetError(error, 'BAD_NAME')) return this.#keep(name, age, false);
      return { state: 'unknown', why: isAltNetError(error) ? error.code : 'INTERNAL' };
    }
  }

  #keep(name: string, age: number, exists: boolean): Existence {
    if (age !== this.#age) return exists ? present : absent;
    const nowMs = this.#nowMs();
    const { freshMs, absentMs } = this.#options;
    if (exists) {
      this.#absent.delete(name);
      this.#present.set(name, { seenMs: nowMs, checkMs: nowMs + freshMs });
      return present;
    }
    this.#present.delete(name);
    this.#absent.set(name, { untilMs: nowMs + absentMs });
    return absent;
  }

  #nowMs(): number {
    return this.#deps.world.clock.monotonicMs();
  }
}
