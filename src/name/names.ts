/**
 * Names: resolve, register, update and list (docs/spec/names.md). It brings search, verdict, memory
 * and writing together; each of them is a file of its own.
 */
import type { CID } from 'multiformats/cid';
import { withDeadline } from '../base/abort.ts';
import { type Bytes, equalBytes, toHex } from '../base/bytes.ts';
import { unixSeconds } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import { LruMap } from '../base/limits.ts';
import { versionOf, type SignedRecord } from '../record/envelope.ts';
import { isRoot } from '../record/root.ts';
import { newestOf, OwnNames, shownBy, ttlSecondsOf } from './own.ts';
import { Pins } from './pins.ts';
import { type NamePlace, parsePlace } from './place.ts';
import type { NameNotes, NamePublisher, NameSearch } from './ports.ts';
import { Sharing } from './sharing.ts';
import { searchName, type Survey } from './survey.ts';
import type { NameResolver, OwnName, RegisteredName, ResolvedName } from './types.ts';
import type { Verdict } from './verdict.ts';
import { NameWriter, type WriteOptions, type WriterDeps } from './writer.ts';

export interface NamesDeps extends WriterDeps {
  readonly dht: NameSearch;
  readonly publisher: NamePublisher;
  /** Where owners seen before are remembered. */
  readonly notes: NameNotes;
}

export interface NamesOptions {
  /** How long a name that is in order is not looked up again, unless its owner asks for less. */
  readonly freshMs: number;
  /** The same for one that is not: it may be so in a moment. */
  readonly doubtfulMs: number;
  readonly timeoutMs: number;
  /** Names that are looked up at the same time. */
  readonly lookupsMax: number;
}

export const namesDefaults: NamesOptions = {
  freshMs: 5 * 60_000,
  doubtfulMs: 60_000,
  timeoutMs: 30_000,
  lookupsMax: 256,
};

const cachedMax = 4096;

export class Names implements NameResolver {
  readonly #deps: NamesDeps;
  readonly #options: NamesOptions;
  readonly #own: OwnNames;
  readonly #pins: Pins;
  readonly #writer: NameWriter;
  readonly #lookups: Sharing<ResolvedName>;
  /** Own writes so far: what was looked up before one is not remembered after it. */
  #writes = 0;
  // BOUNDED by cachedMax
  readonly #cache = new LruMap<string, { resolved: ResolvedName; untilMs: number }>(cachedMax);

  constructor(deps: NamesDeps, options: Partial<NamesOptions> = {}) {
    this.#deps = deps;
    this.#options = { ...namesDefaults, ...options };
    this.#own = new OwnNames(deps.publisher, deps.authorKey.publicKey);
    this.#pins = new Pins({ notes: deps.notes, clock: deps.world.clock });
    this.#writer = new NameWriter(deps);
    this.#lookups = new Sharing(this.#options.lookupsMax);
  }

  /** See `NameResolver`. Answers from memory for a few minutes. */
  async resolve(
    name: string,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<ResolvedName> {
    signal?.throwIfAborted();
    const place = parsePlace(name);
    const id = toHex(place.key);
    const cached = this.#cache.get(id);
    if (cached && this.#deps.world.clock.monotonicMs() < cached.untilMs) return cached.resolved;
    return this.#lookups.run(id, signal, (ended) => this.#lookUp(place, ended));
  }

  /**
   * Takes a free name, or updates one that is this author's. Rejects with BAD_NAME, BAD_ROOT,
   * NAME_TAKEN, NAME_CONTESTED, NAME_NOT_YOURS (another's key name), RECORD_REFUSED, NO_PEERS
   * (it is published as soon as there are some), TIMEOUT, ABORTED.
   */
  async register(name: string, root: CID, options: WriteOptions = {}): Promise<RegisteredName> {
    const place = this.#writable(name, root);
    const published = this.#own.under(place);
    if (published) return this.#write({ place, root, mine: [published] }, options);
    const survey = await this.#search(place, options.signal);
    this.#refuseTaken(place, survey.verdict);
    return this.#write({ place, root, mine: this.#mineOf(survey) }, options);
  }

  /**
   * Lets an own name show another root. Rejects like `register`, and with NAME_NOT_FOUND or
   * NAME_NOT_YOURS when there is nothing to update.
   */
  async update(name: string, root: CID, options: WriteOptions = {}): Promise<RegisteredName> {
    const place = this.#writable(name, root);
    const published = this.#own.under(place);
    if (published) return this.#write({ place, root, mine: [published] }, options);
    const survey = await this.#search(place, options.signal);
    const mine = this.#mineOf(survey);
    const newest = newestOf(mine);
    if (newest && !newest.tombstone) return this.#write({ place, root, mine }, options);
    const { verdict } = survey;
    const owner = 'record' in verdict ? verdict.record?.author : undefined;
    if (verdict.state === 'not-found' || !owner) {
      this.#refuseTaken(place, verdict);
      throw new AltNetError('NAME_NOT_FOUND', { name: place.name });
    }
    throw new AltNetError('NAME_NOT_YOURS', { name: place.name, owner: toHex(owner) });
  }

  /** What this node's author publishes from here and keeps alive. */
  list(): readonly OwnName[] {
    return this.#own.list((key) => this.#pins.get(key)?.firstSeen);
  }

  #writable(name: string, root: CID): NamePlace {
    const place = parsePlace(name);
    if (!isRoot(root)) throw new AltNetError('BAD_ROOT', { text: root.toString() });
    if (place.type === 'key' && !this.#isMe(place.owner)) {
      const owner = toHex(place.owner);
      throw new AltNetError('NAME_NOT_YOURS', { name: place.name, owner });
    }
    return place;
  }

  #refuseTaken({ name }: NamePlace, verdict: Verdict): void {
    if (verdict.state === 'not-found') return;
    if (verdict.state === 'contested') {
      if (verdict.claimants.some((owner) => this.#isMe(owner))) return;
      throw new AltNetError('NAME_CONTESTED', { name, owners: verdict.claimants.map(toHex) });
    }
    const { author } = verdict.record;
    if (!this.#isMe(author)) throw new AltNetError('NAME_TAKEN', { name, owner: toHex(author) });
  }

  async #write(
    draft: { place: NamePlace; root: CID; mine: readonly SignedRecord[] },
    options: WriteOptions,
  ): Promise<RegisteredName> {
    const { place, root } = draft;
    const id = toHex(place.key);
    try {
      const { record, stored } = await this.#writer.write(draft, options);
      await this.#remember(record);
      const { seq, expires } = record;
      return { name: place.name, root, version: versionOf(seq), expires, stored };
    } finally {
      this.#writes++;
      this.#cache.delete(id);
      this.#lookups.forget(id);
    }
  }

  async #lookUp(place: NamePlace, signal: AbortSignal): Promise<ResolvedName> {
    const startedMs = this.#deps.world.clock.monotonicMs();
    const writes = this.#writes;
    const survey = await this.#search(place, signal);
    const { verdict } = survey;
    const record = this.#worthRemembering(verdict);
    if (record) await this.#remember(record);
    const resolved = resolvedOf(place, survey);
    const { freshMs, doubtfulMs } = this.#options;
    const keptMs =
      verdict.state === 'ok'
        ? Math.min(freshMs, 1000 * this.#secondsShown(verdict.record))
        : doubtfulMs;
    const untilMs = startedMs + keptMs;
    if (writes === this.#writes) this.#cache.set(toHex(place.key), { resolved, untilMs });
    return resolved;
  }

  /** How long a live record may be shown without asking again: not beyond its end. */
  #secondsShown(record: SignedRecord): number {
    const left = record.expires - unixSeconds(this.#deps.world.clock);
    return Math.min(left, ttlSecondsOf(record) ?? left);
  }

  #search(place: NamePlace, signal: AbortSignal | undefined): Promise<Survey> {
    const { dht, world } = this.#deps;
    const work = { timers: world.timers, ms: this.#options.timeoutMs, what: place.name, signal };
    return withDeadline(work, (ended) =>
      searchName(place, {
        dht,
        own: this.#own.under(place),
        pin: this.#pins.get(place.key),
        now: unixSeconds(world.clock),
        signal: ended,
      }),
    );
  }

  /**
   * A majority makes an owner known. A withdrawal may come from a single node, so it only adds to
   * what is known of its owner: else whoever withdraws a free name would pass for its owner.
   */
  #worthRemembering(verdict: Verdict): SignedRecord | undefined {
    if (verdict.state === 'ok') return verdict.record;
    const withdrawn = verdict.state === 'not-found' ? verdict.record : undefined;
    const known = withdrawn && this.#pins.get(withdrawn.key);
    return known && equalBytes(known.owner, withdrawn.author) ? withdrawn : undefined;
  }

  /** A full disk must not keep anybody from reading. */
  async #remember(record: SignedRecord): Promise<void> {
    try {
      await this.#pins.remember(record);
    } catch (error) {
      this.#deps.log.warn('an owner could not be remembered', { error: String(error) });
    }
  }

  #mineOf({ records }: Survey): SignedRecord[] {
    return records.filter(({ author }) => this.#isMe(author));
  }

  #isMe(publicKey: Bytes): boolean {
    return equalBytes(publicKey, this.#deps.authorKey.publicKey);
  }
}

function resolvedOf({ name }: NamePlace, { verdict, answered: asked }: Survey): ResolvedName {
  if (verdict.state === 'contested') {
    return { name, state: 'contested', claimants: verdict.claimants, asked };
  }
  if (verdict.state === 'not-found') return { name, state: 'not-found', asked };
  const { author: owner, seq, issued, expires } = verdict.record;
  const root = shownBy(verdict.record)?.root;
  const version = versionOf(seq);
  return {
    name,
    state: verdict.state,
    ...(root && { root }),
    owner,
    version,
    issued,
    expires,
    asked,
  };
}
