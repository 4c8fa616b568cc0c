/**
 * What is held, in numbers: bytes by share of the budget, records by author and by source, and in
 * which order records go when there is no room. It holds no record and does not judge any; about
 * 100 bytes of memory for each. Every change of the store is entered here: the numbers are exact.
 */
import type { Bytes } from '../../base/bytes.ts';
import { type RecordKind, type RecordKindName, recordKinds } from '../../record/kinds.ts';
import { distanceNumber, prefixNumber } from '../distance.ts';
import { dropAtMs } from './keeping.ts';
import type { StoredRecord } from '../ports.ts';
import { type Pair, SortedPairs } from './sorted-pairs.ts';

/** Kinds that share a part of the budget. */
export type Share = 'names' | 'links' | 'providers';

export const shares: readonly Share[] = ['names', 'links', 'providers'];

export function shareOf(kind: RecordKind): Share {
  if (kind === recordKinds.provider) return 'providers';
  return kind === recordKinds.link ? 'links' : 'names';
}

interface Shelf {
  bytes: number;
  /** Rank: distance from us. Mark: when the record is due. BOUNDED by the byte budget. */
  readonly byDistance: SortedPairs;
  /** The other way round. */
  readonly byDue: SortedPairs;
}

export class Ledger {
  readonly #self: Bytes;
  #shelves: Readonly<Record<Share, Shelf>> = emptyShelves();
  /** By the first six bytes of the author. BOUNDED by the records held. */
  readonly #authors = new Map<number, number>();
  readonly #sources = new Map<string, number>(); // BOUNDED by the records held
  readonly #kinds = new Map<number, number>(); // BOUNDED by the kinds there are

  constructor(self: Bytes) {
    this.#self = self;
  }

  get totals(): { readonly records: number; readonly bytes: number } {
    const all = Object.values(this.#shelves);
    return {
      records: all.reduce((sum, { byDue }) => sum + byDue.size, 0),
      bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  /** Records of each kind. */
  get kinds(): Readonly<Record<RecordKindName, number>> {
    const of = (name: RecordKindName): number => this.#kinds.get(recordKinds[name]) ?? 0;
    return {
      name: of('name'),
      link: of('link'),
      provider: of('provider'),
      contact: of('contact'),
      pkName: of('pkName'),
      revocations: of('revocations'),
    };
  }

  add(stored: StoredRecord): void {
    const { shelf, distance, dueMs, author } = this.#placeOf(stored);
    shelf.bytes += stored.record.bytes.length;
    shelf.byDistance.add({ rank: distance, mark: dueMs });
    shelf.byDue.add({ rank: dueMs, mark: distance });
    count(this.#authors, author, 1);
    count(this.#sources, stored.source, 1);
    count(this.#kinds, stored.record.kind, 1);
  }

  /** `stored` exactly as it was added. */
  remove(stored: StoredRecord): void {
    const { shelf, distance, dueMs, author } = this.#placeOf(stored);
    shelf.bytes -= stored.record.bytes.length;
    shelf.byDistance.remove({ rank: distance, mark: dueMs });
    shelf.byDue.remove({ rank: dueMs, mark: distance });
    count(this.#authors, author, -1);
    count(this.#sources, stored.source, -1);
    count(this.#kinds, stored.record.kind, -1);
  }

  /** Forgets all, to count anew. */
  clear(): void {
    this.#shelves = emptyShelves();
    this.#authors.clear();
    this.#sources.clear();
    this.#kinds.clear();
  }

  bytesOf(share: Share): number {
    return this.#shelves[share].bytes;
  }

  /** Records of an author, under all keys. */
  ofAuthor(author: Bytes): number {
    return this.#authors.get(prefixNumber(author)) ?? 0;
  }

  /** Records that came from a source. */
  ofSource(source: string): number {
    return this.#sources.get(source) ?? 0;
  }

  /** The distance of the farthest key that holds something, see `distanceNumber`; -1 for none. */
  farthestOf(share: Share): number {
    return this.#shelves[share].byDistance.last()?.rank ?? -1;
  }

  /** Of all that is held, what is due first: rank is when (unix ms), mark is its distance. */
  dueFirst(): Pair | undefined {
    return shares
      .map((share) => this.#shelves[share].byDue.first())
      .filter((pair) => pair !== undefined)
      .toSorted((a, b) => a.rank - b.rank)
      .at(0);
  }

  #placeOf({ record, ...rest }: StoredRecord): {
    shelf: Shelf;
    distance: number;
    dueMs: number;
    author: number;
  } {
    return {
      shelf: this.#shelves[shareOf(record.kind)],
      distance: distanceNumber(this.#self, record.key),
      dueMs: dropAtMs({ record, ...rest }),
      author: prefixNumber(record.author),
    };
  }
}

function emptyShelves(): Record<Share, Shelf> {
  return { names: emptyShelf(), links: emptyShelf(), providers: emptyShelf() };
}

function emptyShelf(): Shelf {
  return { bytes: 0, byDistance: new SortedPairs(), byDue: new SortedPairs() };
}

function count<K>(counts: Map<K, number>, key: K, change: 1 | -1): void {
  const after = (counts.get(key) ?? 0) + change;
  if (after > 0) counts.set(key, after);
  else counts.delete(key);
}
