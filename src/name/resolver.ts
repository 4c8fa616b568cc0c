/**
 * Resolves names that have a record of their own (docs/spec/names.md, "Resolving"): from memory, or
 * by a search that answers on the first safe evidence and goes on behind the answer. It owns the
 * cache; what is remembered for good is in pins.ts, the rules are in verdict.ts.
 */
import { type Bytes, equalBytes, toHex } from '../base/bytes.ts';
import { unixSeconds, type World } from '../base/clock.ts';
import type { Denials } from '../base/denial.ts';
import { AltNetError, isAltNetError } from '../base/errors.ts';
import { LruMap } from '../base/limits.ts';
import type { Logger } from '../base/logger.ts';
import { reasonOf } from '../base/reason.ts';
import { SharedWork } from '../base/shared-work.ts';
import { Tally } from '../base/tally.ts';
import type { SignedRecord } from '../record/envelope.ts';
import { type Answer, answerOf, rememberedAnswer } from './answer.ts';
import { denialAt, deniedAnswer, judgedAnswer } from './denied.ts';
import { type OwnNames, ttlSecondsOf } from './own.ts';
import type { Pins } from './pins.ts';
import { type Apex, type NamePlace, placesOf } from './place.ts';
import type { NameSearch, WithdrawalsHeld } from './ports.ts';
import { Repair } from './repair.ts';
import { Searches } from './searches.ts';
import { searchName, type Survey } from './survey.ts';
import type { ResolveOptions } from './types.ts';
import type { Verdict } from './verdict.ts';

export interface ResolverDeps {
  readonly dht: NameSearch;
  readonly own: OwnNames;
  readonly pins: Pins;
  /** `networkId(profile)`. */
  readonly network: Bytes;
  readonly world: World;
  readonly log: Logger;
  /** What is not resolved, and not even looked for. */
  readonly denials: Denials;
  /** Left out: none, and a withdrawal is seen by searches alone. */
  readonly withdrawalsHeld?: WithdrawalsHeld | undefined;
}

export interface ResolverOptions {
  /** Public keys of registrars, the first asked first; none: the open zone. It may change. */
  readonly trustedZones: () => readonly Bytes[];
  /** How long a name that is in order is not looked up again, unless its owner asks for less. */
  readonly freshMs: number;
  /** The same for one that is not: it may be so in a moment. */
  readonly doubtfulMs: number;
  /** How long an answer may be given again while those who would know are silent … */
  readonly staleMs: number;
  /** … and how long they are not asked then. */
  readonly pauseMs: number;
  /** Less than browsers wait, so that a stale answer can be shown. */
  readonly timeoutMs: number;
  /** Names that are looked up at the same time. */
  readonly lookupsMax: number;
  /** Searches that are finished while nobody waits for them. */
  readonly backgroundMax: number;
}

const second = 1000;
const minute = 60 * second;

export const resolverDefaults: ResolverOptions = {
  trustedZones: () => [],
  freshMs: 5 * minute,
  doubtfulMs: minute,
  staleMs: 24 * 60 * minute,
  pauseMs: 10 * second,
  timeoutMs: 20 * second,
  lookupsMax: 256,
  backgroundMax: 64,
};

const cachedMax = 4096;

interface Remembered {
  readonly answer: Answer;
  /** Monotonic milliseconds: when it was true … */
  readonly atMs: number;
}

interface Cached extends Remembered {
  /** … and until when it is not asked again. */
  readonly untilMs: number;
  /** What was held here then, see #withdrawals(). */
  readonly withdrawals: string;
}

/** What a lookup is about, and how much had been written when it began. */
interface Lookup {
  readonly apex: Apex;
  readonly writes: number;
  readonly signal: AbortSignal;
}

export class Resolver {
  readonly #deps: ResolverDeps;
  readonly #options: ResolverOptions;
  readonly #lookups: SharedWork<Answer>;
  readonly #searches: Searches<Survey>;
  readonly #repair: Repair;
  readonly #answered = new Tally();
  /** Own writes and changes of zones so far: what was looked up before is not remembered after. */
  #writes = 0;
  // BOUNDED by cachedMax
  #cache = new LruMap<string, Cached>(cachedMax);
  /** Whose names the cache is about. */
  #zones: readonly Bytes[] = [];

  constructor(deps: ResolverDeps, options: ResolverOptions) {
    this.#deps = deps;
    this.#options = options;
    const { dht, world } = deps;
    this.#lookups = new SharedWork({ jobsMax: options.lookupsMax, what: 'names' });
    this.#searches = new Searches(world.timers, options);
    this.#repair = new Repair({ dht, clock: world.clock, signal: this.#searches.signal });
  }

  /** Ends every search and lets nothing go on. */
  async stop(): Promise<void> {
    await this.#searches.stop();
    await this.#repair.settled();
  }

  /** Rejects with NO_ANSWER, TIMEOUT, BUSY, ABORTED. */
  async resolve(apex: Apex, { fresh = false, signal }: ResolveOptions): Promise<Answer> {
    signal?.throwIfAborted();
    const nowMs = this.#nowMs();
    const zones = this.#followZones();
    const judged = (answer: Answer): Answer => {
      const told = judgedAnswer(answer, placesOf(apex, zones), this.#deps.denials);
      this.#answered.add(told.resolved.state);
      return told;
    };
    const cached = fresh ? undefined : this.#cache.get(apex.name);
    const isFresh = cached && nowMs < cached.untilMs;
    if (isFresh && cached.withdrawals === this.#withdrawals(apex)) {
      return judged(agedAnswer(cached, nowMs));
    }
    const look = (ended: AbortSignal): Promise<Answer> => this.#lookUp(apex, zones, ended);
    return judged(await this.#lookups.run(apex.name, look, { signal }));
  }

  /** How often names were answered, by state. */
  counts(): Readonly<Record<string, number>> {
    return this.#answered.snapshot();
  }

  /** What is known of one place, for who wants to write there. Rejects with TIMEOUT, ABORTED. */
  async survey(place: NamePlace, signal: AbortSignal): Promise<Survey> {
    const survey = await this.#search(place, { paths: 2, signal });
    await this.#rememberVerdict(survey);
    if (isWithdrawn(survey)) this.#cache.delete(place.name);
    return survey;
  }

  /** After an own write: nobody gets what was found before it. */
  forget({ name }: Apex): void {
    this.#writes++;
    this.#cache.delete(name);
    this.#lookups.forget(name);
  }

  /** A full disk must not keep anybody from reading. */
  async remember(record: SignedRecord): Promise<void> {
    try {
      await this.#deps.pins.remember(record);
    } catch (error) {
      this.#deps.log.warn('an owner could not be remembered', { why: reasonOf(error) });
    }
  }

  /**
   * The withdrawals of a name that this node has been given as one of its storers: one more than
   * there were, and what was found before is not told any more without asking.
   */
  #withdrawals(apex: Apex): string {
    const { withdrawalsHeld } = this.#deps;
    if (!withdrawalsHeld) return '';
    const held = placesOf(apex, this.#zones).flatMap(({ key }) => withdrawalsHeld(key));
    return held.map(({ hash }) => toHex(hash)).join();
  }

  /** What was resolved in other zones means nothing any more, nor does what is under way there. */
  #followZones(): readonly Bytes[] {
    const zones = this.#options.trustedZones();
    const isSame =
      zones.length === this.#zones.length &&
      zones.every((zone, i) => equalBytes(zone, this.#zones[i] ?? zone.subarray(0, 0)));
    if (isSame) return zones;
    this.#zones = zones;
    this.#writes++;
    this.#cache = new LruMap(cachedMax);
    this.#lookups.forgetAll();
    return zones;
  }

  async #lookUp(apex: Apex, zones: readonly Bytes[], signal: AbortSignal): Promise<Answer> {
    const writes = this.#writes;
    try {
      return await this.#find(placesOf(apex, zones), { apex, writes, signal });
    } catch (error) {
      const earlier = isSilence(error) && writes === this.#writes && this.#earlier(apex);
      if (!earlier) throw error;
      const untilMs = this.#nowMs() + this.#options.pauseMs;
      this.#cache.set(apex.name, { ...earlier, untilMs, withdrawals: this.#withdrawals(apex) });
      return agedAnswer(earlier, this.#nowMs());
    }
  }

  /** Zone after zone: one that has not answered may hold the name, so none after it is asked. */
  async #find(places: readonly NamePlace[], context: Lookup): Promise<Answer> {
    const { apex, writes } = context;
    let absent: Survey | undefined;
    for (const place of places) {
      const denial = denialAt(place, this.#deps.denials);
      if (denial) return deniedAnswer(place, denial);
      const survey = await this.#ask(place, context);
      const { verdict, answered, wanted, complete } = survey;
      if (verdict.state !== 'not-found') return this.#keep(apex, survey, writes);
      if (!verdict.record && (answered < wanted || !complete)) {
        throw new AltNetError('NO_ANSWER', { what: place.name, answered, wanted });
      }
      absent ??= survey;
    }
    if (!absent) throw new AltNetError('INTERNAL', { what: 'a name without a place' });
    return this.#keep(apex, absent, writes);
  }

  /** One path for a name that was seen before, two to find out that there is nothing. */
  async #ask(place: NamePlace, { apex, writes, signal }: Lookup): Promise<Survey> {
    const onWhole = async (survey: Survey): Promise<void> => {
      const isAbsent = survey.verdict.state === 'not-found' && !isWithdrawn(survey);
      if (!isAbsent) await this.#keep(apex, survey, writes);
    };
    if (!this.#deps.pins.get(place.key)) return this.#search(place, { paths: 2, signal, onWhole });
    const survey = await this.#search(place, { paths: 1, signal, onWhole });
    return survey.verdict.state === 'not-found'
      ? this.#search(place, { paths: 2, signal, onWhole })
      : survey;
  }

  /** With `onWhole` it may resolve on the first safe evidence. */
  #search(
    place: NamePlace,
    {
      paths,
      signal,
      onWhole,
    }: { paths: 1 | 2; signal: AbortSignal; onWhole?: (survey: Survey) => Promise<void> },
  ): Promise<Survey> {
    const { dht, own, pins, network, world } = this.#deps;
    const context = {
      dht,
      own: own.under(place),
      pin: pins.get(place.key)?.record,
      paths,
      now: unixSeconds(world.clock),
      network,
    };
    const search = {
      what: place.name,
      run: ({ signal: ended, onEnough }: { signal: AbortSignal; onEnough: (s: Survey) => void }) =>
        searchName(place, { ...context, signal: ended, ...(onWhole && { onEnough }) }),
      onWhole: async (survey: Survey) => onWhole?.(survey),
    };
    return this.#searches.begin(search, signal);
  }

  /** Remembers what a search found, unless an own write has come in between. */
  async #keep(apex: Apex, survey: Survey, writes: number): Promise<Answer> {
    const { pins, world, network } = this.#deps;
    const { place, verdict, behind } = survey;
    const pin = pins.get(place.key);
    await this.#rememberVerdict(survey);
    if (verdict.state === 'ok') this.#repair.offer(verdict.record, behind);
    const answer = answerOf(survey, { pin, now: unixSeconds(world.clock), network });
    if (writes !== this.#writes) return answer;
    const atMs = this.#nowMs();
    const untilMs = atMs + this.#keptMs(survey);
    this.#cache.set(apex.name, { answer, atMs, untilMs, withdrawals: this.#withdrawals(apex) });
    return answer;
  }

  async #rememberVerdict({ place, verdict }: Survey): Promise<void> {
    const record = worthRemembering(place, verdict, this.#deps.pins.get(place.key)?.record);
    if (record) await this.remember(record);
  }

  /** A live record is not shown beyond its end. */
  #keptMs({ verdict, answered }: Survey): number {
    const { freshMs, doubtfulMs } = this.#options;
    // Who was alone knows nothing of the network, and may have joined it a moment later.
    if (verdict.state === 'not-found' && answered <= 1) return 0;
    if (verdict.state !== 'ok') return doubtfulMs;
    const { record } = verdict;
    const leftSeconds = record.expires - unixSeconds(this.#deps.world.clock);
    return Math.min(freshMs, 1000 * Math.min(leftSeconds, ttlSecondsOf(record) ?? leftSeconds));
  }

  /** What opened within the last day and has not ended since. */
  #earlier(apex: Apex): Remembered | undefined {
    const { pins, world } = this.#deps;
    const now = unixSeconds(world.clock);
    const isLive = (record: SignedRecord | undefined): boolean =>
      record !== undefined && !record.tombstone && record.expires > now;
    const cached = this.#cache.get(apex.name);
    if (
      cached &&
      this.#nowMs() - cached.atMs < this.#options.staleMs &&
      isLive(cached.answer.record)
    ) {
      const { resolved, record } = cached.answer;
      const stale: Answer = { resolved: { ...resolved, stale: true }, ...(record && { record }) };
      return { answer: stale, atMs: cached.atMs };
    }
    for (const place of placesOf(apex, this.#zones)) {
      const pin = pins.get(place.key);
      const ageMs = pin ? 1000 * (now - pin.lastSeen) : Number.POSITIVE_INFINITY;
      if (!pin || ageMs >= this.#options.staleMs || !isLive(pin.record)) continue;
      return { answer: rememberedAnswer(place, pin), atMs: this.#nowMs() - ageMs };
    }
    return undefined;
  }

  #nowMs(): number {
    return this.#deps.world.clock.monotonicMs();
  }
}

/** An answer from memory, which says how old it is. */
function agedAnswer({ answer, atMs }: Remembered, nowMs: number): Answer {
  const ageSeconds = Math.floor((nowMs - atMs) / second);
  return { ...answer, resolved: { ...answer.resolved, ageSeconds } };
}

function isWithdrawn({ verdict }: Survey): boolean {
  return verdict.state === 'not-found' && verdict.record !== undefined;
}

/** Whether it says nothing about the name, only about those who would know. */
function isSilence(error: unknown): boolean {
  return ['NO_ANSWER', 'TIMEOUT', 'NO_PEERS', 'UNREACHABLE'].some(
    (code) => isAltNetError(error) && error.code === code,
  );
}

/**
 * A majority makes an owner known. A withdrawal may come from a single node, so it only adds to
 * what is known of its owner: else whoever withdraws a free name would pass for its owner. In a
 * zone nobody can, and who saw that its registrar took a name away is to hold on to that.
 */
function worthRemembering(
  place: NamePlace,
  verdict: Verdict,
  known: SignedRecord | undefined,
): SignedRecord | undefined {
  if (verdict.state === 'ok') return verdict.record;
  const withdrawn = verdict.state === 'not-found' ? verdict.record : undefined;
  if (!known || !withdrawn) return undefined;
  const isOfZone = place.type === 'label' && place.zone !== undefined;
  return isOfZone || equalBytes(known.author, withdrawn.author) ? withdrawn : undefined;
}
