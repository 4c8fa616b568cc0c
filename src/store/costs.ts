/**
 * What things cost on the disk, as the budget counts it. The figures for LMDB are measured
 * (docs/spec/store.md); they know its pages and none of its tables.
 */
import type { BlockPlace } from './block-place.ts';

/** The unit in which most file systems, and LMDB, give out space. */
const pageBytes = 4096;

/** A block's entry in the index when its bytes are in a file, with a share of half-empty pages. */
const entryBytes = 96;

/** What the head of a pack says of one block: hash, offset and length. */
export const packLineBytes: number = 32 + 4 + 4;

/** The head of a pack before its lines. */
export const packHeadBytes = 8;

/** A pack's own entry in the index. */
const packEntryBytes = 64;

/** Header of an entry in LMDB, its place in the page's list, the key, and our tag. */
const inlineOverheadBytes = 8 + 2 + 32 + 1;

/** A value with pages of its own: the header of the first one, and our tag. */
const ownPagesOverheadBytes = 24 + 1;

/** Up to this an entry shares a page with others; a longer one has pages of its own. */
const sharedEntryBytesMax = 2036;

/** The longest block whose entry shares a page with others. */
export const sharedInlineBytesMax: number = sharedEntryBytesMax - inlineOverheadBytes;

/** That a holding names a block: its entry in `members`, and its share of one in `shares`. */
export const membershipCost: number = 128;

/** A holding's own two entries. */
export const holdingCost: number = 512;

/** What a file of this length takes. */
export function fileCost(bytes: number): number {
  return Math.ceil(bytes / pageBytes) * pageBytes;
}

/** What a block costs, whoever names it. */
export function blockCost({ bytes, at }: Pick<BlockPlace, 'bytes' | 'at'>): number {
  if (at === 'pack') return bytes + packLineBytes + packedPadding(bytes) + entryBytes;
  if (at === 'file') return fileCost(bytes) + entryBytes;
  const entry = bytes + inlineOverheadBytes;
  if (entry > sharedEntryBytesMax) {
    return Math.ceil((bytes + ownPagesOverheadBytes) / pageBytes) * pageBytes + entryBytes;
  }
  // Pages that take entries in any order are two thirds full, less when few fit into one.
  return Math.ceil(entry * 1.5);
}

/**
 * What a small block in a pack is counted beyond its length. Many of them would make the index as
 * large as the packs, and LMDB's file never shrinks: so none costs less than a page.
 */
export function packedPadding(bytes: number): number {
  return Math.max(0, pageBytes - packLineBytes - bytes);
}

/** What a pack file holds of blocks that are still here. */
export interface PackContent {
  readonly fileBytes: number;
  /** Living ones, and the sum of their lengths. */
  readonly blocks: number;
  readonly bytes: number;
}

/** What a pack costs beyond its living blocks: dead ones, the end of its last page, its entry. */
export function packOverhead({ fileBytes, blocks, bytes }: PackContent): number {
  return fileCost(fileBytes) + packEntryBytes - bytes - blocks * packLineBytes;
}

/** Of a pack in which nothing is dead. */
export const packOverheadMax: number = pageBytes + packHeadBytes + packEntryBytes;

/** What the file of a pack would take less if it were written again without what is dead. */
export function reclaimable({ fileBytes, blocks, bytes }: PackContent): number {
  return fileCost(fileBytes) - fileCost(packHeadBytes + blocks * packLineBytes + bytes);
}
