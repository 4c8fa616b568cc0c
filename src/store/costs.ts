/**
 * What things cost on the disk, as the budget counts it. The figures for LMDB are measured
 * (docs/spec/store.md); they know its pages and none of its tables.
 */

/** The unit in which most file systems, and LMDB, give out space. */
const pageBytes = 4096;

/** A block's entry in the index when its bytes are in a file, with a share of half-empty pages. */
const entryBytes = 96;

/** Header of an entry in LMDB, its place in the page's list, the key, and our tag. */
const inlineOverheadBytes = 8 + 2 + 32 + 1;

/** A value with pages of its own: the header of the first one, and our tag. */
const ownPagesOverheadBytes = 24 + 1;

/** Up to this an entry shares a page with others; a longer one has pages of its own. */
const sharedEntryBytesMax = 2036;

/** That a holding names a block: its entry in `members`, and its share of one in `shares`. */
export const membershipCost: number = 128;

/** A holding's own two entries. */
export const holdingCost: number = 512;

/** What a file of this length takes. */
export function fileCost(bytes: number): number {
  return Math.ceil(bytes / pageBytes) * pageBytes;
}

/** What a block of this length costs, whoever names it. */
export function blockCost({ bytes, inIndex }: { bytes: number; inIndex: boolean }): number {
  if (!inIndex) return fileCost(bytes) + entryBytes;
  const entry = bytes + inlineOverheadBytes;
  if (entry > sharedEntryBytesMax) {
    return Math.ceil((bytes + ownPagesOverheadBytes) / pageBytes) * pageBytes + entryBytes;
  }
  // Pages that take entries in any order are two thirds full, less when few fit into one.
  return Math.ceil(entry * 1.5);
}
