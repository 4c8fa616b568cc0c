/**
 * Forgets blocks whose files a power cut or a user took away, so that they can be fetched again:
 * the holdings that name them are not complete any more. Runs inside the queue of `holdings`.
 */
import type { Bytes } from '../base/bytes.ts';
import { type BlockIndex, totalsOf } from './block-index.ts';
import type { Book, HoldingStep } from './book.ts';
import { membershipCost } from './costs.ts';
import type { StoredHolding } from './holding-codec.ts';
import type { HoldingTable } from './holding-table.ts';
import type { OpenHoldings } from './open-holdings.ts';
import type { PackFiles } from './pack-files.ts';
import { gonePacks, type PackTable } from './pack-table.ts';
import { unread } from './removal.ts';
import type { SharedList, SharedLists } from './shared-lists.ts';
import { textOf } from './tables.ts';

const blocksAtOnce = 64;
/** With more than this to look up, it is faster to read all memberships once. */
const lookupsMax = 100_000;

export class Losses {
  readonly #book: Book;
  readonly #index: BlockIndex;
  readonly #table: HoldingTable;
  readonly #lists: SharedLists;
  readonly #packs: PackTable;
  readonly #packFiles: PackFiles;
  readonly #opens: Pick<OpenHoldings, 'of'>;

  constructor(parts: {
    book: Book;
    index: BlockIndex;
    table: HoldingTable;
    lists: SharedLists;
    packs: PackTable;
    packFiles: PackFiles;
    opens: Pick<OpenHoldings, 'of'>;
  }) {
    this.#book = parts.book;
    this.#index = parts.index;
    this.#table = parts.table;
    this.#lists = parts.lists;
    this.#packs = parts.packs;
    this.#packFiles = parts.packFiles;
    this.#opens = parts.opens;
  }

  /** What is not there is no error. */
  async forget(hashes: readonly Bytes[]): Promise<void> {
    const lost = new Map<string, Bytes>(); // BOUNDED by the blocks
    for (const hash of hashes) if (this.#index.has(hash)) lost.set(textOf(hash), hash);
    const namers = this.#namersOf(lost);
    const all = [...lost.values()];
    for (let at = 0; at < all.length; at += blocksAtOnce) {
      await this.#forgetSome(all.slice(at, at + blocksAtOnce), namers);
    }
  }

  /** Numbers of the lists that name a block. */
  #namersOf(lost: ReadonlyMap<string, Bytes>): Map<string, number[]> {
    const namers = new Map<string, number[]>(); // BOUNDED by the memberships of `lost`
    const add = (id: string, number: number): void => {
      const numbers = namers.get(id) ?? [];
      numbers.push(number);
      namers.set(id, numbers);
    };
    const all = [...this.#table.list(), ...this.#lists.list()];
    const numbers = lost.size === 0 ? [] : all.map(({ number }) => number);
    if (numbers.length * lost.size > lookupsMax) {
      for (const { number, hash } of this.#index.memberships()) {
        if (lost.has(textOf(hash))) add(textOf(hash), number);
      }
      return namers;
    }
    for (const number of numbers) {
      for (const [id, hash] of lost) if (this.#index.isMember(number, hash)) add(id, number);
    }
    return namers;
  }

  async #forgetSome(hashes: readonly Bytes[], namers: Map<string, number[]>): Promise<void> {
    const holdings = new Map<number, { before: StoredHolding; after: StoredHolding }>(); // BOUNDED
    const lists = new Map<number, { before: SharedList; after: SharedList }>(); // BOUNDED likewise
    const places = hashes.map((hash) => this.#index.placeOf(hash) ?? unread);
    const gone = totalsOf(places, -1);
    const packs = this.#packs.without(places);
    let memberships = 0;
    for (const hash of hashes) {
      const cost = (this.#index.costOf(hash) ?? 0) + membershipCost;
      for (const number of namers.get(textOf(hash)) ?? []) {
        memberships++;
        const list = this.#lists.get(number);
        if (list) {
          const known = lists.get(number)?.after ?? list;
          lists.set(number, { before: list, after: { ...known, cost: known.cost - cost } });
        }
        for (const owner of this.#lists.ownersOf(number)) {
          const before = holdings.get(owner)?.before ?? this.#table.get(owner);
          if (!before) continue;
          const known = holdings.get(owner)?.after ?? before;
          const state = known.state === 'complete' ? 'damaged' : known.state;
          const after = { ...known, state, cost: known.cost - cost };
          holdings.set(owner, { before, after });
          this.#opens.of(before)?.lost.add(textOf(hash));
        }
      }
    }
    const steps: HoldingStep[] = [...holdings.values()];
    await this.#book.commit(
      {
        write: (changes) => {
          for (const hash of hashes) {
            this.#index.remove(changes, hash);
            this.#index.setSharers(changes, hash, 0);
            for (const number of namers.get(textOf(hash)) ?? []) {
              this.#index.removeMember(changes, number, hash);
            }
          }
        },
        holdings: steps,
        lists: [...lists.values()],
        packs,
        added: { ...gone, cost: gone.cost - memberships * membershipCost },
      },
      { removesOnly: true },
    );
    await this.#packFiles.removeAll(gonePacks(packs));
  }
}
