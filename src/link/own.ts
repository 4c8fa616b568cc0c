/**
 * This node's own links: what its author has published under a URL, and what a further record there
 * needs (a higher seq, the work that was already done). Holds no state beside the publisher's.
 */
import { type Bytes, equalBytes, parseUtf8, toHex, utf8 } from '../base/bytes.ts';
import { type SignedRecord, seqOf } from '../record/envelope.ts';
import { recordKinds } from '../record/kinds.ts';
import { parseLink } from '../record/link.ts';
import { powBitsOf } from '../record/pow.ts';
import { slotOf } from '../record/registry.ts';
import type { LinkNotes, LinkPublisher } from './ports.ts';

/** An own link, as its list shows it. */
export interface OwnLink {
  readonly url: string;
  readonly target: string;
  /** Unix seconds. */
  readonly issued: number;
  /** Unix seconds. */
  readonly expires: number;
}

export class OwnLinks {
  readonly #publisher: Pick<LinkPublisher, 'list' | 'under'>;
  readonly #notes: LinkNotes;
  readonly #author: Bytes;

  constructor({
    publisher,
    notes,
    author,
  }: {
    publisher: Pick<LinkPublisher, 'list' | 'under'>;
    notes: LinkNotes;
    author: Bytes;
  }) {
    this.#publisher = publisher;
    this.#notes = notes;
    this.#author = author;
  }

  under(key: Bytes): SignedRecord[] {
    return this.#mine(this.#publisher.under(key));
  }

  list(): OwnLink[] {
    return this.#mine(this.#publisher.list(recordKinds.link)).flatMap((record) => {
      const link = parseLink(record);
      if (!link) return [];
      const { issued, expires } = record;
      return [{ url: this.#urlOf(record), target: link.target, issued, expires }];
    });
  }

  #mine(published: readonly { readonly record: SignedRecord }[]): SignedRecord[] {
    return published
      .map(({ record }) => record)
      .filter(({ kind, author }) => kind === recordKinds.link && equalBytes(author, this.#author));
  }

  /** Unknown only when the notes were lost and the journal was not. */
  #urlOf({ key }: SignedRecord): string {
    const noted = this.#notes.get(noteName(key));
    return (noted && parseUtf8(noted)) ?? `(unknown, key ${toHex(key)})`;
  }

  async remember(key: Bytes, url: string): Promise<void> {
    await this.#notes.put(noteName(key), utf8(url));
  }

  /** Forgets the URL, unless other links under its key are left. */
  async forget(key: Bytes): Promise<void> {
    if (this.under(key).length > 0) return;
    await this.#notes.removeAll([noteName(key)]);
  }
}

function noteName(key: Bytes): string {
  return `link/${toHex(key)}`;
}

export function inSlot(records: readonly SignedRecord[], slot: Bytes): SignedRecord | undefined {
  return records.find((record) => equalBytes(slotOf(record), slot));
}

/**
 * Above that of `previous`, and no lower than the time: so an author who uses one key on two
 * machines, or has lost the journal, still writes the newer record without asking first.
 */
export function nextSeq(previous: SignedRecord | undefined, nowUnixSeconds: number): bigint {
  const now = seqOf(0, nowUnixSeconds);
  return previous && previous.seq >= now ? previous.seq + 1n : now;
}

/** The nonce of one of `records` that shows enough work; work counts per key, not per link. */
export function knownWork(records: readonly SignedRecord[], bits: number): Bytes | undefined {
  return records.find((record) => powBitsOf(record) >= bits)?.powNonce;
}
