/** Compares what the index of blocks says with the files that are there. Changes nothing. */
import { type Bytes, parseHex, toHex } from '../base/bytes.ts';
import type { BlockPlace } from './block-place.ts';
import type { BlockShelves } from './blocks.ts';
import type { PackTable } from './pack-table.ts';

export interface Stock {
  /** Entries that cannot be read, or whose file is missing or of another length. */
  readonly lost: readonly Bytes[];
  /** Files that no entry names: of single blocks, and the numbers of packs. */
  readonly orphans: readonly Bytes[];
  readonly orphanPacks: readonly number[];
}

/** Slow: reads the whole index and the size of each file. */
export function takeStock({
  index,
  files,
  packFiles,
  packs,
}: BlockShelves & { readonly packs: PackTable }): Stock {
  const sizes = new Map<string, number>(); // BOUNDED by the blocks on the disk
  for (const { hash, size } of files.list()) sizes.set(toHex(hash), size);
  const packSizes = new Map<number, number>(); // BOUNDED by the packs on the disk
  for (const { number, size } of packFiles.list()) packSizes.set(number, size);
  const isWhole = (hash: Bytes, place: BlockPlace): boolean => {
    if (place.at === 'index') return true;
    if (place.at === 'file') return sizes.get(toHex(hash)) === place.bytes;
    return place.offset + place.bytes <= (packSizes.get(place.pack) ?? -1);
  };
  const lost: Bytes[] = []; // BOUNDED by the index
  for (const { hash, place } of index.entries()) {
    if (!place || !isWhole(hash, place)) lost.push(hash);
    else if (place.at === 'file') sizes.delete(toHex(hash));
  }
  const orphanPacks = [...packSizes.keys()].filter((number) => !packs.get(number));
  return { lost, orphans: [...sizes.keys()].flatMap((name) => parseHex(name) ?? []), orphanPacks };
}
