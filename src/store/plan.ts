/**
 * Writes that will share a commit: what each of them adds to what is there and to what those before
 * it add. It reads the index and writes nothing; memberships that are there already cost nothing.
 */
import { type Bytes, compareBytes } from '../base/bytes.ts';
import type { Block } from '../content/ports.ts';
import { type BlockIndex, inlineBytesMax, type NewBlock, totalsOf } from './block-index.ts';
import type { BookEntry } from './book.ts';
import { blockCost, holdingCost, membershipCost } from './costs.ts';
import type { StoredHolding } from './holding-codec.ts';
import type { SharedLists } from './shared-lists.ts';
import { textOf } from './tables.ts';

/** What one write asks for: blocks to be put, or to be named if they are here. */
export interface Asked {
  readonly blocks: readonly Block[];
  readonly hashes: readonly Bytes[];
}

/** One write, seen against everything before it. */
export interface Draft {
  readonly holding: StoredHolding;
  /** Whether the holding has an entry yet. */
  readonly isNew: boolean;
  /** What it does not name yet, by `textOf` the hash. BOUNDED by the write. */
  readonly named: ReadonlyMap<string, Bytes>;
  readonly fresh: ReadonlyMap<string, NewBlock>;
  /** Asked to be named, and not here. */
  readonly missing: readonly Bytes[];
  /** What the budget has to have room for. */
  readonly cost: number;
  /** What the holding comes to name, each block in full. */
  readonly charge: number;
}

/** Whether the holding names a block already, by `textOf` its hash and the hash. */
type MemberTest = (id: string, hash: Bytes) => boolean;

const manyHashes = 32;

export class WritePlan {
  readonly #index: BlockIndex;
  readonly #lists: SharedLists;
  /** By number, as they will be. BOUNDED by the writes of one group, like all below. */
  readonly #holdings = new Map<
    number,
    { before: StoredHolding | undefined; after: StoredHolding }
  >();
  readonly #fresh = new Map<string, NewBlock>(); // BOUNDED by the writes
  readonly #members: { number: number; hash: Bytes }[] = [];
  readonly #named = new Map<number, Set<string>>(); // BOUNDED by the writes
  /** BOUNDED by the writes. */
  readonly #sharers = new Map<string, { hash: Bytes; count: number }>();
  #cost = 0;
  #inlineRoom: number;

  constructor(
    index: BlockIndex,
    { lists, inlineRoom }: { readonly lists: SharedLists; readonly inlineRoom: number },
  ) {
    this.#index = index;
    this.#lists = lists;
    this.#inlineRoom = inlineRoom;
  }

  /** What the plan adds to what the store costs. */
  get cost(): number {
    return this.#cost;
  }

  get isEmpty(): boolean {
    return this.#holdings.size === 0;
  }

  /** How many entries the commit writes at most, besides those of holdings. */
  get entries(): number {
    return this.#fresh.size + this.#members.length + this.#sharers.size;
  }

  /** Blocks that must be on the disk before the commit. */
  get fresh(): readonly NewBlock[] {
    return [...this.#fresh.values()];
  }

  /** The holding as it will be after the writes so far. */
  holding(number: number): StoredHolding | undefined {
    return this.#holdings.get(number)?.after;
  }

  draft(
    { holding, isNew }: { readonly holding: StoredHolding; readonly isNew: boolean },
    { blocks, hashes }: Asked,
  ): Draft {
    const named = new Map<string, Bytes>();
    const fresh = new Map<string, NewBlock>();
    let inlineRoom = this.#inlineRoom;
    const missing: Bytes[] = [];
    let freshCost = 0;
    let charge = 0;
    const already = this.#named.get(holding.number);
    const see = (hash: Bytes, isMember: MemberTest, block?: Block): void => {
      const id = textOf(hash);
      if (named.has(id) || already?.has(id)) return;
      // What is to be named mostly is already: the block itself need not be looked up then.
      if (!block && isMember(id, hash)) return;
      const here = this.#costOf(id, hash);
      if (here === undefined && !block) return void missing.push(hash);
      if (block && here !== undefined && isMember(id, hash)) return;
      named.set(id, hash);
      charge += membershipCost + (here ?? 0);
      if (here !== undefined || !block) return;
      const placed = place(block, inlineRoom);
      const cost = costOf(placed);
      if (placed.inIndex) inlineRoom -= cost;
      fresh.set(id, placed);
      freshCost += cost;
      charge += cost;
    };
    const lists = isNew ? [] : this.#lists.numbersOf(holding.number);
    const single: MemberTest = (_, hash) => lists.some((one) => this.#index.isMember(one, hash));
    for (const block of blocks) see(block.hash, single, block);
    const several = this.#memberTest(lists, hashes) ?? single;
    for (const hash of hashes) see(hash, several);
    const cost =
      freshCost + named.size * membershipCost + (isNew && named.size > 0 ? holdingCost : 0);
    return { holding, isNew, named, fresh, missing, cost, charge };
  }

  /** Adds a draft that was made after the last `take`. */
  take({ holding, isNew, named, fresh, cost, charge }: Draft, nowMs: number): void {
    if (named.size === 0) return;
    const { number } = holding;
    const planned = this.#holdings.get(number);
    const before = planned ? planned.before : isNew ? undefined : holding;
    const after = { ...holding, usedMs: nowMs, cost: holding.cost + charge };
    this.#holdings.set(number, { before, after });
    for (const [id, block] of fresh) {
      this.#fresh.set(id, block);
      if (block.inIndex) this.#inlineRoom -= costOf(block);
    }
    const all = this.#named.get(number) ?? new Set<string>();
    this.#named.set(number, all);
    for (const [id, hash] of named) {
      this.#members.push({ number, hash });
      all.add(id);
      if (fresh.has(id)) continue;
      const count = this.#sharers.get(id)?.count ?? this.#sharersBefore(id, hash);
      this.#sharers.set(id, { hash, count: count + 1 });
    }
    this.#cost += cost;
  }

  /** What the commit writes. */
  entry(): BookEntry {
    const { fresh } = this;
    const totals = totalsOf(fresh.map(({ bytes, inIndex }) => ({ bytes: bytes.length, inIndex })));
    return {
      write: (changes) => {
        for (const block of fresh) this.#index.put(changes, block);
        for (const { number, hash } of this.#members) this.#index.addMember(changes, number, hash);
        for (const { hash, count } of this.#sharers.values()) {
          this.#index.setSharers(changes, hash, count);
        }
      },
      holdings: [...this.#holdings.values()],
      added: { ...totals, cost: totals.cost + this.#members.length * membershipCost },
    };
  }

  /** Undefined when the block is not here. */
  #costOf(id: string, hash: Bytes): number | undefined {
    const planned = this.#fresh.get(id);
    if (planned) return costOf(planned);
    return this.#index.costOf(hash);
  }

  /** Looks once instead of for each of `hashes`, unless a list names more between them. */
  #memberTest(lists: readonly number[], hashes: readonly Bytes[]): MemberTest | undefined {
    let [first] = hashes;
    let last = first;
    if (!first || !last || hashes.length < manyHashes) return undefined;
    for (const hash of hashes) {
      if (compareBytes(hash, first) < 0) first = hash;
      if (compareBytes(hash, last) > 0) last = hash;
    }
    const limit = hashes.length + 1;
    const members = new Set<string>(); // BOUNDED by limit for each list
    for (const list of lists) {
      const found = this.#index.membersBetween(list, { first, last, limit });
      if (found.length === limit) return undefined;
      for (const hash of found) members.add(textOf(hash));
    }
    return (id) => members.has(id);
  }

  #sharersBefore(id: string, hash: Bytes): number {
    return this.#fresh.has(id) ? 1 : this.#index.sharersOf(hash);
  }
}

function place({ hash, bytes }: Block, inlineRoom: number): NewBlock {
  if (bytes.length > inlineBytesMax) return { hash, bytes, inIndex: false };
  const inIndex = blockCost({ bytes: bytes.length, inIndex: true }) <= inlineRoom;
  return { hash, bytes, inIndex };
}

function costOf({ bytes, inIndex }: NewBlock): number {
  return blockCost({ bytes: bytes.length, inIndex });
}
