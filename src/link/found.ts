/**
 * Sorts what a search brings in: each link once, in the order of arrival, withdrawn ones left out.
 * Knows neither network nor time.
 */
import { toHex } from '../base/bytes.ts';
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

export class FoundLinks {
  // BOUNDED by slotsMax. The newest record of each slot that was seen.
  readonly #slots = new Map<string, SignedRecord>();
  // BOUNDED by slotsMax. How many links of each author were shown.
  readonly #authors = new Map<string, number>();
  #shown = 0;

  /** Links that were shown. */
  get count(): number {
    return this.#shown;
  }

  /**
   * What one node answered: the links in it that were not there before. A slot belongs to one
   * author and one target, so a newer record of a slot that was shown says nothing new.
   */
  *add(records: readonly SignedRecord[]): Generator<Omit<FoundLink, 'seconds'>> {
    for (const record of records) {
      const slot = toHex(slotOf(record));
      const known = this.#slots.get(slot);
      if (known && compareRecords(record, known) <= 0) continue;
      if (!known && this.#slots.size >= slotsMax) continue;
      this.#slots.set(slot, record);
      // After a tombstone, a newer live record is the author's change of mind.
      const link = known && !known.tombstone ? undefined : shownLink(record);
      if (!link || !this.#countAuthor(record)) continue;
      this.#shown += 1;
      yield link;
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

/** Undefined for tombstones, and for targets that no honest publisher would have signed. */
function shownLink(record: SignedRecord): Omit<FoundLink, 'seconds'> | undefined {
  const link = parseLink(record);
  if (!link || targetFlaw(link.target) !== undefined) return undefined;
  const { target, sha256, size, type, captured, note } = link;
  const publisher = keyId(record.author);
  return { target, sha256, size, type, captured, note, publisher, issued: record.issued };
}
