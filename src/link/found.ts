/**
 * Sorts what a search brings in: each link once, in the order of arrival, and again only when it
 * turns out to say something else by now; withdrawn ones left out.
 * Knows neither network nor time.
 */
import { equalBytes, toHex } from '../base/bytes.ts';
import { keyId } from '../identity/key.ts';
import { type SignedRecord, compareRecords } from '../record/envelope.ts';
import { recordKinds } from '../record/kinds.ts';
import { parseLink } from '../record/link.ts';
import { slotOf, storedKind } from '../record/registry.ts';
import { targetFlaw } from './target.ts';
import type { FoundLink } from './types.ts';

/** Eight times what an honest storer holds under a key: storers may differ in what they keep. */
export const slotsMax = 1024;

/** What storers take of one author: who signs more than that shall not crowd out the others. */
const perAuthorMax = storedKind(recordKinds.link)?.perAuthorMax ?? 0;

interface Slot {
  /** The newest that was seen. */
  readonly record: SignedRecord;
  readonly shown: boolean;
}

export class FoundLinks {
  readonly #slots = new Map<string, Slot>(); // BOUNDED by slotsMax
  // BOUNDED by slotsMax. How many links of each author were shown.
  readonly #authors = new Map<string, number>();
  #shown = 0;

  /** Links that were shown. */
  get count(): number {
    return this.#shown;
  }

  /**
   * What one node answered: the links in it that were not there before, and those of which it knows
   * newer words of their author. Nothing takes back what was shown before it was withdrawn.
   */
  *add(records: readonly SignedRecord[]): Generator<Omit<FoundLink, 'seconds'>> {
    for (const record of records) {
      const name = toHex(slotOf(record));
      const known = this.#slots.get(name);
      if (known && compareRecords(record, known.record) <= 0) continue;
      if (!known && this.#slots.size >= slotsMax) continue;
      const link = shownLink(record);
      const isNew = link !== undefined && known?.shown !== true && this.#countAuthor(record);
      const isChanged =
        link !== undefined && known?.shown === true && !isSaidAlready(record, known);
      this.#slots.set(name, { record, shown: isNew || known?.shown === true });
      if (isNew) this.#shown += 1;
      if (link && (isNew || isChanged)) yield link;
    }
  }

  #countAuthor({ author }: SignedRecord): boolean {
    const name = toHex(author);
    const shown = this.#authors.get(name) ?? 0;
    if (shown >= perAuthorMax) return false;
    this.#authors.set(name, shown + 1);
    return true;
  }
}

/** Renewals say the same again. */
function isSaidAlready({ body }: SignedRecord, { record }: Slot): boolean {
  return equalBytes(body, record.body);
}

/** Undefined for tombstones, and for targets that no honest publisher would have signed. */
function shownLink(record: SignedRecord): Omit<FoundLink, 'seconds'> | undefined {
  const link = parseLink(record);
  if (!link || targetFlaw(link.target) !== undefined) return undefined;
  const { target, sha256, size, type, captured, note } = link;
  const publisher = keyId(record.author);
  return { target, sha256, size, type, captured, note, publisher, issued: record.issued };
}
