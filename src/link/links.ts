/**
 * Alternative links: put, get, remove and list (docs/spec/links.md). Knows what a link is and how
 * it is found; how records travel and are kept alive is behind its ports.
 */
import type { Abortable } from '../base/abort.ts';
import { type Bytes, utf8 } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import { compareRecords, type SignedRecord } from '../record/envelope.ts';
import {
  hashUrl,
  linkKey,
  linkSchemes,
  linkSlot,
  makeLinkRecord,
  makeLinkTombstone,
} from '../record/link.ts';
import { canonicalUrl } from '../record/url.ts';
import { checkLink } from './check.ts';
import { deniedTarget, deniedUrl, noTargetDenials, type TargetDenials } from './denied-target.ts';
import { LinkFinder } from './finder.ts';
import { inSlot, type OwnLink, OwnLinks } from './own.ts';
import type { LinkNotes, LinkPublisher, LinkSearch } from './ports.ts';
import { searchLinks } from './search.ts';
import { checkTarget } from './target.ts';
import type { FoundLink, Link, LinkSearchEnd, PutLink } from './types.ts';
import {
  limitReached,
  linksPerAuthorMax,
  LinkWriter,
  type WriteOptions,
  type WriterDeps,
} from './writer.ts';

export interface LinksDeps extends WriterDeps {
  readonly dht: LinkSearch;
  readonly publisher: LinkPublisher;
  readonly notes: LinkNotes;
  /** What nobody is led to, and which URLs are asked for by nobody; left out: nothing. */
  readonly denied?: TargetDenials | undefined;
}

/** A URL, and where its links stand. */
interface Place {
  readonly url: string;
  readonly canonical: string;
  readonly scheme: number;
  readonly urlHash: Bytes;
  readonly key: Bytes;
}

export class Links {
  readonly #deps: LinksDeps;
  readonly #own: OwnLinks;
  readonly #writer: LinkWriter;
  readonly #finder: LinkFinder;
  readonly #denied: TargetDenials;

  constructor(deps: LinksDeps) {
    const { publisher, notes, authorKey, denied = noTargetDenials } = deps;
    this.#deps = deps;
    this.#denied = denied;
    this.#own = new OwnLinks({ publisher, notes, author: authorKey.publicKey });
    this.#writer = new LinkWriter(deps);
    this.#finder = new LinkFinder(deps.dht, { clock: deps.world.clock, denied });
  }

  /**
   * Publishes an alternative, or replaces this author's link to the same target. Rejects with
   * BAD_URL, BAD_ARGUMENT, LINK_LIMIT, RECORD_REFUSED, ABORTED, URL_BLOCKED, what says that the
   * target is denied, or NO_PEERS: then it is published as soon as there are some.
   */
  async put(url: string, link: Link, options: WriteOptions = {}): Promise<PutLink> {
    const startedMs = this.#nowMs();
    const place = placeOf(url);
    checkLink(link);
    const error = deniedUrl(url, this.#denied.denials) ?? deniedTarget(link, this.#denied);
    if (error) throw error;
    const { key, scheme, urlHash } = place;
    const mine = this.#own.under(key);
    const previous = inSlot(mine, this.#slotOf(link.target));
    const others = mine.filter((record) => record !== previous);
    if (others.length >= linksPerAuthorMax) throw limitReached(url);
    const { target, sha256: hash, size, type, captured, note } = link;
    const body = { target, sha256: hash, size, type, captured, note, scheme, urlHash };
    const draft = { key, previous, mine };
    await this.#own.remember(key, url); // first: the publisher keeps trying also after a failure
    try {
      const stored = await this.#writer.write(
        { ...draft, sign: (stamp, signer) => makeLinkRecord(body, stamp, signer) },
        options,
      );
      return this.#result(place, { target, stored, startedMs });
    } finally {
      this.#finder.changed(key);
      await this.#own.forget(key); // when nothing came of it, as after giving up during the work
    }
  }

  /**
   * The links for a URL as they are found, each once; the end tells how many nodes answered. Who
   * stops reading ends the search. Throws BAD_URL, URL_BLOCKED, ABORTED.
   */
  get(url: string, { signal }: Abortable = {}): AsyncGenerator<FoundLink, LinkSearchEnd> {
    return this.#finder.find(url, signal);
  }

  /** How often links were asked for, by what came of it. */
  counts(): Readonly<Record<string, number>> {
    return this.#finder.counts();
  }

  /**
   * Withdraws this author's link, wherever it was published from. Rejects with LINK_NOT_FOUND when
   * neither this node nor the network knows it, else like `put`.
   */
  async remove(url: string, target: string, options: WriteOptions = {}): Promise<PutLink> {
    const startedMs = this.#nowMs();
    const place = placeOf(url);
    checkTarget(target);
    const { key, urlHash } = place;
    const slot = this.#slotOf(target);
    const mine = this.#own.under(key);
    const previous = inSlot(mine, slot) ?? (await this.#search({ key, slot }, options));
    if (!previous || previous.tombstone) throw new AltNetError('LINK_NOT_FOUND', { url, target });
    const draft = { key, previous, mine: [previous, ...mine] };
    const what = { urlHash, target };
    try {
      const stored = await this.#writer.write(
        { ...draft, sign: (stamp, signer) => makeLinkTombstone(what, stamp, signer) },
        options,
      );
      return this.#result(place, { target, stored, startedMs });
    } finally {
      this.#finder.changed(key);
      await this.#own.forget(key);
    }
  }

  /** What this node's author has published from here and keeps alive. */
  list(): readonly OwnLink[] {
    return this.#own.list();
  }

  /** The newest record in a slot that the network has. */
  async #search(
    { key, slot }: { key: Bytes; slot: Bytes },
    { signal }: Abortable,
  ): Promise<SignedRecord | undefined> {
    let newest: SignedRecord | undefined;
    for await (const records of searchLinks(this.#deps.dht, key, { signal })) {
      const record = inSlot(records, slot);
      if (record && (!newest || compareRecords(record, newest) > 0)) newest = record;
    }
    return newest;
  }

  /** This author's place for a target, under any key. */
  #slotOf(target: string): Bytes {
    return linkSlot(this.#deps.authorKey.publicKey, sha256(utf8(target)));
  }

  #result(
    { url, canonical }: Place,
    { target, stored, startedMs }: { target: string; stored: number; startedMs: number },
  ): PutLink {
    const publisher = this.#deps.authorKey.id;
    return { url, canonical, target, publisher, stored, seconds: this.#secondsSince(startedMs) };
  }

  #nowMs(): number {
    return this.#deps.world.clock.monotonicMs();
  }

  #secondsSince(startedMs: number): number {
    return (this.#nowMs() - startedMs) / 1000;
  }
}

function placeOf(url: string): Place {
  const { canonical, scheme } = canonicalUrl(url);
  const urlHash = hashUrl(canonical);
  return { url, canonical, scheme: linkSchemes[scheme], urlHash, key: linkKey(urlHash) };
}
