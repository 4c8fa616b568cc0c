/**
 * Writes that will share a commit: what each of them adds to what is there and to what those before
 * it add. It reads the index and writes nothing; memberships that are there already cost nothing.
 */
import { type Bytes, compareBytes } from '../base/bytes.ts';
import type { Block } from '../content/ports.ts';
import { type BlockIndex, inlineBytesMax, totalsOf } from './block-index.ts';
import type { BookEntry } from './book.ts';
import {
  blockCost,
  holdingCost,
  membershipCost,
  packOverheadMax,
  sharedInlineBytesMax,
} from './costs.ts';
import type { StoredHolding } from './holding-codec.ts';
import { type NewPack, type PackLimits, sharedOut } from './pack-layout.ts';
import { stepTo } from './pack-table.ts';
import type { SharedLists } from './shared-lists.ts';
import { textOf } from './tables.ts';

/** What one write asks for: blocks to be put, or to be named if they are here. */
export interface Asked {
  readonly blocks: readonly Block[];
  readonly hashes: readonly Bytes[];
}

/** A block that is to be written, into the index or into a pack. */
export interface NewBlock {
  readonly hash: Bytes;
  readonly bytes: Bytes;
  readonly inIndex: boolean;
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

/**
 * A write of so much that LMDB would give pages of their own is worth a pack: that takes less time,
 * memory and disk. A pack of a few kilobytes does not.
 */
const packedBytesMin = 64 * 1024;

export class WritePlan {
  readonly #index: BlockIndex;
  readonly #lists: SharedLists;
  readonly #packLimits: PackLimits;
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
    {
      lists,
      packLimits,
      inlineRoom,
    }: {
      readonly lists: SharedLists;
      readonly packLimits: PackLimits;
      readonly inlineRoom: number;
    },
  ) {
    this.#index = index;
    this.#lists = lists;
    this.#packLimits = packLimits;
    this.#inlineRoom = inlineRoom;
  }

  /** What the plan adds to what the store costs, at most. */
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

  /** Sum of the lengths of what is new. */
  get bytes(): number {
    return this.#fresh.values().reduce((sum, block) => sum + block.bytes.length, 0);
  }

  /** Blocks that must be on the disk before the commit, as they share packs. */
  packed(): NewBlock[][] {
    return sharedOut(packedOf(this.#fresh), this.#packLimits);
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
    const bytesMax = inlineMaxOf(blocks);
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
      const placed = place(block, { room: inlineRoom, bytesMax });
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
    const packs = sharedOut(packedOf(fresh), this.#packLimits).length;
    const cost =
      freshCost +
      packs * packOverheadMax +
      named.size * membershipCost +
      (isNew && named.size > 0 ? holdingCost : 0);
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

  /** What the commit writes, once these packs are on the disk. */
  entry(packs: readonly NewPack[]): BookEntry {
    const fresh = [...this.#fresh.values()];
    const totals = totalsOf(fresh.map(measureOf));
    return {
      write: (changes) => {
        for (const block of fresh) if (block.inIndex) this.#index.putInline(changes, block);
        for (const { lines } of packs) {
          for (const line of lines) this.#index.putPlace(changes, line);
        }
        for (const { number, hash } of this.#members) this.#index.addMember(changes, number, hash);
        for (const { hash, count } of this.#sharers.values()) {
          this.#index.setSharers(changes, hash, count);
        }
      },
      holdings: [...this.#holdings.values()],
      packs: packs.map(stepTo),
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

/** The longest of these blocks that may stand in the index. */
function inlineMaxOf(blocks: readonly Block[]): number {
  let bytes = 0;
  for (const block of blocks)
    if (block.bytes.length > sharedInlineBytesMax) bytes += block.bytes.length;
  return bytes < packedBytesMin ? inlineBytesMax : sharedInlineBytesMax;
}

function place(
  { hash, bytes }: Block,
  { room, bytesMax }: { readonly room: number; readonly bytesMax: number },
): NewBlock {
  const isSmall = bytes.length <= bytesMax;
  const inIndex = isSmall && blockCost({ bytes: bytes.length, at: 'index' }) <= room;
  return { hash, bytes, inIndex };
}

function packedOf(fresh: ReadonlyMap<string, NewBlock>): Iterable<NewBlock> {
  return fresh.values().filter(({ inIndex }) => !inIndex);
}

function measureOf({ bytes, inIndex }: NewBlock): { at: 'index' | 'pack'; bytes: number } {
  return { at: inIndex ? 'index' : 'pack', bytes: bytes.length };
}

/** Without its share of what a pack costs besides. */
function costOf(block: NewBlock): number {
  return blockCost(measureOf(block));
}
