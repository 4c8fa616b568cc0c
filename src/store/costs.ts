/**
 * What things cost on the disk, as the budget counts it. The figures for LMDB are measured
 * (docs/spec/store.md); they know its pages and none of its tables.
 */

/** The unit in which most file systems, and LMDB, give out space. */
const pageBytes = 4096;

/** A block's entry in the index when its bytes are in a file, with its share of half-empty pages. */
const entryBytes = 96;

/** Header of an entry and of a page in LMDB, the key, and our tag. */
const inlineOverheadBytes = 8 + 24 + 32 + 1;

/** Up to this an entry shares a page with others; a longer one has pages of its own. */
const sharedEntryBytesMax = 1300;

/** That a holding names a block: its entry in `members`, and its share of one in `shares`. */
export const membershipCost: number = 128;

/** A holding's own two entries. */
export const holdingCost: number = 512;

/** What a block of this length costs, whoever names it. */
export function blockCost({ bytes, inIndex }: { bytes: number; inIndex: boolean }): number {
  if (!inIndex) return Math.ceil(bytes / pageBytes) * pageBytes + entryBytes;
  const entry = bytes + inlineOverheadBytes;
  // Pages that take entries in any order are two thirds full.
  if (entry <= sharedEntryBytesMax) return Math.ceil(entry * 1.5);
  return Math.ceil(entry / pageBytes) * pageBytes + entryBytes;
}
