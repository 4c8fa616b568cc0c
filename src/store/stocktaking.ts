/** Compares what the index of blocks says with the files that are there. Changes nothing. */
import { type Bytes, parseHex, toHex } from '../base/bytes.ts';
import type { BlockFiles } from './block-files.ts';
import type { BlockIndex } from './block-index.ts';

export interface Stock {
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
  for (const { hash, place } of index.entries()) {
    const name = toHex(hash);
    if (place?.at === 'index') continue;
    if (place && sizes.get(name) === place.size) sizes.delete(name);
    else lost.push(hash);
  }
  const orphans = [...sizes.keys()].flatMap((name) => parseHex(name) ?? []);
  return { lost, orphans };
}
