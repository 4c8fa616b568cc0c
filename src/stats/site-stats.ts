/**
 * How often sites were opened through this node's gateway, by name and day, and by how many
 * (docs/spec/stats.md). It counts in memory and writes what changed every few seconds. By whom, it
 * forgets.
 */
import type { CancelTimer, World } from '../base/clock.ts';
import { unixSeconds } from '../base/clock.ts';
import { LruMap } from '../base/limits.ts';
import type { Logger } from '../base/logger.ts';
import { reasonOf } from '../base/reason.ts';
import { DaySalt } from './day-salt.ts';
import type { Served, StatsNotes } from './ports.ts';
import { decodeSiteCount, encodeSiteCount } from './site-codec.ts';
import { type DayCount, SiteCount, type SiteTotals } from './site-count.ts';
import { dayMs, utcDay } from './utc-day.ts';
import { visitorHash } from './visitor.ts';

export interface SiteStatsDeps {
  readonly notes: StatsNotes;
  /** Where the secret of the day is kept; absolute. */
  readonly saltFile: string;
  readonly world: World;
  readonly log: Logger;
}

/** More names than these push out those not opened for longest. */
export const namesMax = 10_000;
/** A crash loses what was counted in so long. */
const writeAfterMs = 10_000;
/** Names that are written in one go: others use the store as well. */
const writtenAtOnce = 256;
/** Who came a moment ago is not hashed again. */
const recentMax = 1024;
const notePrefix = 'visits/';

export class SiteStats implements AsyncDisposable {
  readonly #deps: SiteStatsDeps;
  readonly #salt: DaySalt;
  /** By name, that opened last at the end. BOUNDED by namesMax, see #siteOf() */
  readonly #sites = new LruMap<string, SiteCount>(namesMax);
  /** Names whose count is not written down, or was pushed out. BOUNDED by what 10 s bring. */
  #changed = new Set<string>();
  /** "name ip" that today has counted, in memory alone. BOUNDED by recentMax */
  readonly #recent = new Set<string>();
  /** The one that came last: a page's many requests come at once. */
  #latest: { readonly name: string; readonly site: SiteCount } | undefined;
  #day = 0;
  #cancelWrite: CancelTimer | undefined;
  #cancelMidnight: CancelTimer | undefined;
  #work: Promise<void> = Promise.resolve();
  #isStopped = false;
  #isFailing = false;

  constructor(deps: SiteStatsDeps) {
    this.#deps = deps;
    this.#salt = new DaySalt({ ...deps, ...deps.world, file: deps.saltFile });
  }

  /** Reads what earlier runs counted. What of it is damaged is left out, and said once. */
  async start(): Promise<void> {
    const { notes, world, log } = this.#deps;
    const read: { name: string; site: SiteCount }[] = []; // BOUNDED by the notes there are
    const bad: string[] = []; // BOUNDED by the notes there are
    for (const note of notes.list(notePrefix)) {
      const state = decodeSiteCount(note.value);
      const name = note.name.slice(notePrefix.length);
      if (state) read.push({ name, site: new SiteCount(state) });
      else bad.push(note.name);
    }
    read.sort((a, b) => a.site.totals.lastSeen - b.site.totals.lastSeen);
    // Those that were pushed out just before a crash.
    const surplus = read.splice(0, Math.max(0, read.length - namesMax));
    await notes.removeAll(surplus.map(({ name }) => notePrefix + name));
    for (const { name, site } of read) this.#sites.set(name, site);
    if (bad.length > 0) {
      log.warn('the statistics of some sites were damaged and begin anew', { sites: bad.length });
      await notes.removeAll(bad);
    }
    this.#day = utcDay(world.clock.unixMs());
    await this.#salt.start(this.#day);
    this.#closeDays();
    this.#awaitMidnight();
  }

  /** Counts one answered request. Costs a microsecond or two, and never throws. */
  served({ name, bytes, ip }: Served): void {
    if (this.#isStopped) return;
    const { clock } = this.#deps.world;
    const day = this.#today();
    const site = this.#siteOf(name);
    const who = `${name} ${ip}`;
    const isKnown = this.#recent.has(who);
    const visitor = isKnown ? undefined : visitorHash({ salt: this.#salt.of(day), name, ip });
    if (!isKnown) this.#remember(who);
    site.add({ day, bytes, seen: unixSeconds(clock), visitor });
    this.#note(name);
  }

  /** Undefined for a name that nobody opened, or that was pushed out. Without ".alt". */
  of(name: string): (SiteTotals & { readonly days: readonly DayCount[] }) | undefined {
    const day = this.#today();
    const site = this.#sites.peek(name);
    return site && { ...site.totals, days: site.days(day) };
  }

  /** Names that are counted. */
  get size(): number {
    return this.#sites.size;
  }

  /** Writes what is not written; idempotent. Nothing is counted any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelWrite?.();
    this.#cancelMidnight?.();
    if (this.#changed.size > 0) this.#write();
    await this.#work;
    await this.#salt.saved;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Who is forgotten is hashed again, and found to be known. */
  #remember(who: string): void {
    if (this.#recent.size >= recentMax) this.#recent.clear();
    this.#recent.add(who);
  }

  #siteOf(name: string): SiteCount {
    if (this.#latest?.name === name) return this.#latest.site;
    const site = this.#sites.get(name) ?? this.#begin(name);
    this.#latest = { name, site };
    return site;
  }

  #begin(name: string): SiteCount {
    if (this.#sites.size >= namesMax) {
      const [oldest] = this.#sites.entries();
      if (oldest) {
        this.#sites.delete(oldest[0]);
        this.#note(oldest[0]);
      }
    }
    const site = new SiteCount();
    this.#sites.set(name, site);
    return site;
  }

  #note(name: string): void {
    this.#changed.add(name);
    if (this.#cancelWrite || this.#isStopped) return;
    this.#cancelWrite = this.#deps.world.timers.after(writeAfterMs, () => {
      this.#cancelWrite = undefined;
      this.#write();
    });
  }

  /** The number of today; at its first moment, the day before is put away. */
  #today(): number {
    const day = utcDay(this.#deps.world.clock.unixMs());
    if (day === this.#day) return day;
    this.#day = day;
    void this.#salt.end();
    this.#recent.clear();
    this.#closeDays();
    return day;
  }

  #closeDays(): void {
    for (const [name, site] of this.#sites.entries()) {
      if (site.close(this.#day)) this.#note(name);
    }
  }

  /** Also where nobody comes, the secret goes when its day is over. */
  #awaitMidnight(): void {
    const { clock, timers } = this.#deps.world;
    const delayMs = dayMs - (clock.unixMs() % dayMs) + 1;
    this.#cancelMidnight = timers.after(Math.min(delayMs, dayMs / 24), () => {
      this.#today();
      if (!this.#isStopped) this.#awaitMidnight();
    });
  }

  #write(): void {
    this.#work = this.#work.then(() => this.#writeChanged());
  }

  /** Never rejects: what could not be written is tried again. */
  async #writeChanged(): Promise<void> {
    const names = [...this.#changed];
    this.#changed = new Set();
    for (let i = 0; i < names.length; i += writtenAtOnce) {
      const some = names.slice(i, i + writtenAtOnce);
      try {
        await this.#writeSome(some);
        this.#isFailing = false;
      } catch (error) {
        if (!this.#isFailing) {
          this.#deps.log.warn('site statistics cannot be written', { why: reasonOf(error) });
        }
        this.#isFailing = true;
        for (const name of some) if (this.#sites.has(name)) this.#note(name);
      }
    }
  }

  async #writeSome(names: readonly string[]): Promise<void> {
    await this.#salt.saved; // hashes without their secret would count everybody twice
    const notes = names.flatMap((name) => {
      const site = this.#sites.peek(name);
      return site ? { name: notePrefix + name, value: encodeSiteCount(site.state()) } : [];
    });
    const gone = names.filter((name) => !this.#sites.has(name));
    if (notes.length > 0) await this.#deps.notes.putAll(notes);
    if (gone.length > 0) await this.#deps.notes.removeAll(gone.map((name) => notePrefix + name));
  }
}
