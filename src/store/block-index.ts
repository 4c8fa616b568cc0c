/**
 * Which blocks this node has, who names them, what they cost, and the small ones themselves, in
 * LMDB. It knows nothing of files, and a list only as a number.
 *
 * Every block is named by at least one list. One that is named by a single list, as most are, has
 * no entry in `shares`.
 */
import { asBuffer, type Bytes, concatBytes } from '../base/bytes.ts';
import {
  type BlockPlace,
  decodePlace,
  encodeInlineEntry,
  encodePackEntry,
  inlineBytesOf,
  type PackPlace,
} from './block-place.ts';
import { blockCost, fileCost, packedPadding } from './costs.ts';
import type { Changes, Environment } from './environment.ts';
import type { Table } from './table.ts';
import { prefixRange, tableEntries, tableKeys } from './tables.ts';

/**
 * Blocks of at most this many bytes may stand in the index: two pages of LMDB, less their header
 * and our tag. A file takes up no less on most disks, and takes longer to make.
 */
export const inlineBytesMax: number = 2 * 4096 - 24 - 1;

export interface BlockTotals {
  readonly blocks: number;
  /** Sum of the blocks' own lengths. */
  readonly bytes: number;
  /** What they cost on the disk, with all memberships and holdings. */
  readonly cost: number;
  /** Of `cost`: blocks in the index. */
  readonly inline: number;
  /** Of `cost`: packs and files, with what is dead in them and what small blocks count besides. */
  readonly files: number;
}

export const noTotals: BlockTotals = { blocks: 0, bytes: 0, cost: 0, inline: 0, files: 0 };

/** A block that is here. */
export interface FoundBlock {
  readonly place: BlockPlace;
  /** Itself, if it stands in the index. */
  readonly inline: Bytes | undefined;
}

const totalsKey: Bytes = Buffer.from('block-totals');
const totalsBytes = 40;
const nothing = new Uint8Array();
/** After the number of the list. */
export const memberHashAt = 4;

export class BlockIndex {
  readonly #blocks: Table;
  readonly #members: Table;
  readonly #shares: Table;
  readonly #meta: Table;

  constructor(environment: Environment) {
    this.#blocks = environment.table('blocks');
    this.#members = environment.table('members');
    this.#shares = environment.table('shares');
    this.#meta = environment.table('meta');
  }

  has(hash: Bytes): boolean {
    return this.#blocks.has(hash);
  }

  find(hash: Bytes): FoundBlock | undefined {
    const entry = this.#blocks.get(hash);
    const place = entry && decodePlace(entry);
    if (!entry || !place) return undefined;
    return { place, inline: place.at === 'index' ? inlineBytesOf(entry) : undefined };
  }

  /** Where it is, without a copy of the block. */
  placeOf(hash: Bytes): BlockPlace | undefined {
    // What this gives is valid until the next read.
    const entry = this.#blocks.peek(hash);
    return entry && decodePlace(entry);
  }

  /** What a block costs, whoever names it; undefined when it is not here. */
  costOf(hash: Bytes): number | undefined {
    const place = this.placeOf(hash);
    return place && blockCost(place);
  }

  /** Whether the list of this number names the block. */
  isMember(number: number, hash: Bytes): boolean {
    return this.#members.has(memberKey(number, hash));
  }

  /** How many lists name a block that is here. */
  sharersOf(hash: Bytes): number {
    return this.#shares.get(hash)?.readUInt32BE(0) ?? 1;
  }

  /** At most `limit` of the blocks that a list names, in order of hash. */
  membersOf(number: number, limit: number): Bytes[] {
    const range = { ...prefixRange(encodeNumber(number)), limit };
    return this.#members.keys(range).map((key) => new Uint8Array(key.subarray(memberHashAt)));
  }

  /** The blocks from `first` to `last` that a list names, at most `limit` of them. */
  membersBetween(
    number: number,
    { first, last, limit }: { first: Bytes; last: Bytes; limit: number },
  ): Bytes[] {
    const [start, end] = [memberKey(number, first), memberKey(number, last)];
    const keys = this.#members.keys({ start, end, inclusiveEnd: true, limit });
    return keys.map((key) => new Uint8Array(key.subarray(memberHashAt)));
  }

  /**
   * All that a list names, in order of hash, of which so many are read at a time: keys, in which
   * the hash begins at `memberHashAt`.
   */
  *memberKeys(number: number, keysAtOnce: number): Iterable<Bytes> {
    const { start, end } = prefixRange(encodeNumber(number));
    let range = { start, exclusiveStart: false };
    for (;;) {
      const page = this.#members.keys({ ...range, ...(end && { end }), limit: keysAtOnce });
      yield* page;
      const last = page.at(-1);
      if (!last || page.length < keysAtOnce) return;
      range = { start: last, exclusiveStart: true };
    }
  }

  /** Every membership, in order of list and hash; slow. */
  *memberships(from = 0): Iterable<{ readonly number: number; readonly hash: Bytes }> {
    for (const key of tableKeys(this.#members, encodeNumber(from))) {
      yield {
        number: asBuffer(key).readUInt32BE(0),
        hash: new Uint8Array(key.subarray(memberHashAt)),
      };
    }
  }

  *entries(): Iterable<{ readonly hash: Bytes; readonly place: BlockPlace | undefined }> {
    for (const { key, value } of tableEntries(this.#blocks)) {
      yield { hash: new Uint8Array(key), place: decodePlace(value) };
    }
  }

  /** Blocks that more than one list names; slow. */
  *shared(): Iterable<{ readonly hash: Bytes; readonly sharers: number }> {
    for (const { key, value } of tableEntries(this.#shares)) {
      yield { hash: new Uint8Array(key), sharers: value.readUInt32BE(0) };
    }
  }

  totals(): BlockTotals {
    const stored = this.#meta.get(totalsKey);
    if (stored?.length !== totalsBytes) return noTotals;
    const numberAt = (i: number): number => stored.readDoubleBE(8 * i);
    const [blocks, bytes, cost] = [numberAt(0), numberAt(1), numberAt(2)];
    return { blocks, bytes, cost, inline: numberAt(3), files: numberAt(4) };
  }

  /** Part of a commit, as all that follows: totals and entries change together or not at all. */
  setTotals(changes: Changes, { blocks, bytes, cost, inline, files }: BlockTotals): void {
    const value = Buffer.alloc(totalsBytes);
    for (const [i, number] of [blocks, bytes, cost, inline, files].entries()) {
      value.writeDoubleBE(number, 8 * i);
    }
    changes.put(this.#meta, { key: totalsKey, value });
  }

  /** A small block, into the index itself. */
  putInline(changes: Changes, { hash, bytes }: { hash: Bytes; bytes: Bytes }): void {
    changes.put(this.#blocks, { key: hash, value: encodeInlineEntry(bytes) });
  }

  /** A block that is in a pack, or has moved to another one. */
  putPlace(changes: Changes, { hash, place }: { hash: Bytes; place: PackPlace }): void {
    changes.put(this.#blocks, { key: hash, value: encodePackEntry(place) });
  }

  remove(changes: Changes, hash: Bytes): void {
    changes.remove(this.#blocks, hash);
  }

  addMember(changes: Changes, number: number, hash: Bytes): void {
    changes.put(this.#members, { key: memberKey(number, hash), value: nothing });
  }

  removeMember(changes: Changes, number: number, hash: Bytes): void {
    changes.remove(this.#members, memberKey(number, hash));
  }

  setSharers(changes: Changes, hash: Bytes, sharers: number): void {
    if (sharers < 2) return changes.remove(this.#shares, hash);
    changes.put(this.#shares, { key: hash, value: encodeNumber(sharers) });
  }
}

/**
 * What blocks add to the totals, or take away with a `sign` of -1; neither memberships nor what
 * packs cost besides.
 */
export function totalsOf(
  blocks: readonly Pick<BlockPlace, 'at' | 'bytes'>[],
  sign: 1 | -1 = 1,
): BlockTotals {
  let [bytes, cost, inline, files] = [0, 0, 0, 0];
  for (const block of blocks) {
    const own = blockCost(block);
    bytes += block.bytes;
    cost += own;
    if (block.at === 'index') inline += own;
    if (block.at === 'file') files += fileCost(block.bytes);
    if (block.at === 'pack') files += packedPadding(block.bytes);
  }
  const count = sign * blocks.length;
  return {
    blocks: count,
    bytes: sign * bytes,
    cost: sign * cost,
    inline: sign * inline,
    files: sign * files,
  };
}

export function encodeNumber(number: number): Bytes {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(number);
  return bytes;
}

function memberKey(number: number, hash: Bytes): Bytes {
  return concatBytes(encodeNumber(number), hash);
}
