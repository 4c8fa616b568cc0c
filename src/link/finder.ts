/**
 * Finding the links for a URL: the search of its key, shared by all who ask at the same time; what
 * was found before, when nobody can be asked; and other spellings of the URL, when there is nothing
 * under this one.
 */
import type { Bytes } from '../base/bytes.ts';
import { toHex } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { LruMap } from '../base/limits.ts';
import { Tally } from '../base/tally.ts';
import { hashUrl, linkKey } from '../record/link.ts';
import { canonicalUrl } from '../record/url.ts';
import { deniedTarget, deniedUrl, type TargetDenials } from './denied-target.ts';
import { FoundLinks } from './found.ts';
import { merge } from './merge.ts';
import type { LinkSearch } from './ports.ts';
import { type SearchTotals, searchLinks } from './search.ts';
import { SharedSearches } from './shared.ts';
import type { FoundLink, LinkSearchEnd } from './types.ts';
import { urlVariants } from './variants.ts';

/** A link without what depends on who asked when. */
type Sighting = Omit<FoundLink, 'seconds' | 'variant'>;

interface Remembered {
  readonly sightings: readonly Sighting[];
  readonly atMs: number;
}

const rememberedMax = 1000;
const staleMsMax = 24 * 3_600_000;

export interface FinderDeps {
  readonly clock: Clock;
  /** What nobody is led to, and which URLs are not searched. */
  readonly denied: TargetDenials;
}

export class LinkFinder {
  readonly #dht: LinkSearch;
  readonly #clock: Clock;
  readonly #denied: TargetDenials;
  readonly #searches = new SharedSearches<Sighting, SearchTotals>();
  readonly #ended = new Tally();
  /** By key, what the last search brought. */
  readonly #remembered = new LruMap<string, Remembered>(rememberedMax); // BOUNDED by its size

  constructor(dht: LinkSearch, { clock, denied }: FinderDeps) {
    this.#dht = dht;
    this.#clock = clock;
    this.#denied = denied;
  }

  /** How often links were asked for, by what came of it. */
  counts(): Readonly<Record<string, number>> {
    return this.#ended.snapshot();
  }

  /** Throws BAD_URL, URL_BLOCKED, ABORTED. Who stops reading ends the search. */
  async *find(
    url: string,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<FoundLink, LinkSearchEnd> {
    const startedMs = this.#clock.monotonicMs();
    const seconds = (): number => (this.#clock.monotonicMs() - startedMs) / 1000;
    // BOUNDED by what FoundLinks lets through. A link that changed is told twice and is one.
    const found = new Set<string>();
    const key = keyOf(url);
    const blocked = this.#deniedUrl(url);
    if (blocked) {
      this.#ended.add('blocked');
      throw blocked;
    }
    let result: 'found' | 'none' | 'broken-off' = 'broken-off';
    const exact = this.#search(key, signal);
    try {
      let step = await exact.next();
      for (; step.done !== true; step = await exact.next()) {
        if (!this.#mayShow(step.value)) continue;
        found.add(nameOf(step.value));
        yield { ...step.value, seconds: seconds() };
      }
      const { answered, others } = step.value;
      if (found.size === 0 && others > 0) {
        for await (const link of this.#searchVariants(url, signal)) {
          if (!this.#mayShow(link)) continue;
          found.add(nameOf(link));
          yield { ...link, seconds: seconds() };
        }
      }
      result = found.size > 0 ? 'found' : 'none';
      return { found: found.size, asked: answered, seconds: seconds() };
    } finally {
      this.#ended.add(result);
      await exact.return(noTotals);
    }
  }

  /** Asked when it is shown: what was found before may be denied now. */
  #mayShow(link: Sighting): boolean {
    return deniedTarget(link, this.#denied) === undefined;
  }

  #deniedUrl(url: string): ReturnType<typeof deniedUrl> {
    return deniedUrl(url, this.#denied.denials);
  }

  /** Something was published under `key` from here: searches that began before do not show it. */
  changed(key: Bytes): void {
    this.#searches.renew(toHex(key));
  }

  #search(key: Bytes, signal: AbortSignal | undefined): AsyncGenerator<Sighting, SearchTotals> {
    const begin = (ended: AbortSignal): AsyncGenerator<Sighting, SearchTotals> =>
      this.#searchNow(key, ended);
    return this.#searches.follow(toHex(key), begin, signal);
  }

  async *#searchNow(key: Bytes, signal: AbortSignal): AsyncGenerator<Sighting, SearchTotals> {
    const links = new FoundLinks();
    const sightings: Sighting[] = []; // BOUNDED by FoundLinks
    const search = searchLinks(this.#dht, key, { signal });
    let totals = noTotals;
    try {
      for (;;) {
        const step = await search.next();
        if (step.done === true) {
          totals = step.value;
          break;
        }
        for (const link of links.add(step.value)) {
          sightings.push(link);
          yield link;
        }
      }
    } finally {
      await search.return(noTotals);
    }
    yield* this.#recall(key, { sightings, others: totals.others });
    return totals;
  }

  /** Remembers what was found; when nobody could be asked, tells what was found before. */
  *#recall(
    key: Bytes,
    { sightings, others }: { sightings: readonly Sighting[]; others: number },
  ): Generator<Sighting> {
    const name = toHex(key);
    const atMs = this.#clock.monotonicMs();
    if (others > 0) {
      if (sightings.length > 0) this.#remembered.set(name, { sightings, atMs });
      else this.#remembered.delete(name);
      return;
    }
    const before = this.#remembered.get(name);
    if (!before || sightings.length > 0 || atMs - before.atMs > staleMsMax) return;
    for (const sighting of before.sightings) yield { ...sighting, stale: true };
  }

  /** All variants at once: who gets here has waited for one search already. */
  async *#searchVariants(
    url: string,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Omit<FoundLink, 'seconds'>> {
    const variants = urlVariants(url).filter((variant) => !this.#deniedUrl(variant));
    yield* merge((ended) => variants.map((variant) => this.#searchVariant(variant, ended)), signal);
  }

  async *#searchVariant(
    variant: string,
    signal: AbortSignal,
  ): AsyncGenerator<Omit<FoundLink, 'seconds'>> {
    for await (const link of this.#search(keyOf(variant), signal)) yield { ...link, variant };
  }
}

const noTotals: SearchTotals = { asked: 0, answered: 0, others: 0 };

function nameOf({ publisher, target }: Pick<FoundLink, 'publisher' | 'target'>): string {
  return `${toHex(publisher)} ${target}`;
}

function keyOf(url: string): Bytes {
  return linkKey(hashUrl(canonicalUrl(url).canonical));
}
