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
import { textOf } from './tables.ts';

const blocksAtOnce = 64;
/** With more than this to look up, it is faster to read all memberships once. */
const lookupsMax = 100_000;

export class Losses {
  readonly #book: Book;
  readonly #index: BlockIndex;
  readonly #table: HoldingTable;

  constructor(parts: { book: Book; index: BlockIndex; table: HoldingTable }) {
    this.#book = parts.book;
    this.#index = parts.index;
    this.#table = parts.table;
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

  /** Numbers of the holdings that name a block. */
  #namersOf(lost: ReadonlyMap<string, Bytes>): Map<string, number[]> {
    const namers = new Map<string, number[]>(); // BOUNDED by the memberships of `lost`
    const add = (id: string, number: number): void => {
      const numbers = namers.get(id) ?? [];
      numbers.push(number);
      namers.set(id, numbers);
    };
    const numbers = lost.size === 0 ? [] : [...this.#table.list()].map(({ number }) => number);
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
    const gone = totalsOf(
      hashes.map((hash) => this.#index.measure(hash) ?? { bytes: 0, inIndex: false }),
      -1,
    );
    let memberships = 0;
    for (const hash of hashes) {
      const cost = (this.#index.costOf(hash) ?? 0) + membershipCost;
      for (const number of namers.get(textOf(hash)) ?? []) {
        memberships++;
        const before = holdings.get(number)?.before ?? this.#table.get(number);
        if (!before) continue;
        const known = holdings.get(number)?.after ?? before;
        const state = known.state === 'complete' ? 'damaged' : known.state;
        const after = { ...known, state, cost: known.cost - cost };
        holdings.set(number, { before, after });
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
        added: { ...gone, cost: gone.cost - memberships * membershipCost },
      },
      { removesOnly: true },
    );
  }
}
