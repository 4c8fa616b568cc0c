/** Compares what the index of blocks says with the files that are there. Changes nothing. */
import { type Bytes, parseHex, toHex } from '../base/bytes.ts';
import type { BlockFiles } from './block-files.ts';
import { type BlockCounts, type BlockIndex, sizeOf } from './block-index.ts';

export interface Stock {
  /** All that the index names, the lost ones included. */
  readonly counts: BlockCounts;
  /** Entries that cannot be read, or whose file is missing or of another length. */
  readonly lost: readonly Bytes[];
  /** Files that no entry names. */
  readonly orphans: readonly Bytes[];
}

/** Slow: reads the whole index and the size of each file. */
export function takeStock(index: BlockIndex, files: BlockFiles): Stock {
  const sizes = new Map<string, number>(); // BOUNDED by the blocks on the disk
  for (const { hash, size } of files.list()) sizes.set(toHex(hash), size);
  const lost: Bytes[] = [];
  let blocks = 0;
  let bytes = 0;
  for (const { hash, place } of index.entries()) {
    const name = toHex(hash);
    const isWhole = place && (place.at === 'index' || sizes.get(name) === place.size);
    if (isWhole) sizes.delete(name);
    else lost.push(hash);
    blocks++;
    bytes += place ? sizeOf(place) : 0;
  }
  const orphans = [...sizes.keys()].flatMap((name) => parseHex(name) ?? []);
  return { counts: { blocks, bytes }, lost, orphans };
}
