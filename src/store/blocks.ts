/**
 * Blocks by the SHA-256 of their bytes, as they are read: small ones from LMDB, the others from
 * packs, for a memory-mapped database would count everything that is read as this
 * process's memory (docs/spec/store.md has the measurement). It does not verify hashes: callers do.
 */
import { type Bytes, toHex } from '../base/bytes.ts';
import type { Logger } from '../base/logger.ts';
import type { Blocks, MemoryFor } from '../content/ports.ts';
import type { BlockFiles } from './block-files.ts';
import type { BlockIndex, BlockTotals } from './block-index.ts';
import type { Book } from './book.ts';
import type { PackFiles } from './pack-files.ts';

/** Where blocks can be read. */
export interface BlockShelves {
  readonly index: BlockIndex;
  readonly files: BlockFiles;
  readonly packFiles: PackFiles;
}

/** A copy of a block that is here, or what has become of it; undefined when it never was. */
export function readBlock(
  { index, files, packFiles }: BlockShelves,
  hash: Bytes,
  memoryFor?: MemoryFor,
): Bytes | 'lost' | undefined {
  const found = index.find(hash);
  if (!found) return undefined;
  const { place, inline } = found;
  if (inline) return inline;
  if (place.at === 'pack') return packFiles.read(place, memoryFor) ?? 'lost';
  return files.read(hash, place.bytes, memoryFor) ?? 'lost';
}

export class BlockStore implements Blocks {
  readonly #book: Book;
  readonly #shelves: BlockShelves;
  readonly #log: Logger;
  readonly #onLost: (hash: Bytes) => Promise<void>;

  constructor({
    book,
    shelves,
    log,
    onLost,
  }: {
    book: Book;
    shelves: BlockShelves;
    log: Logger;
    onLost: (hash: Bytes) => Promise<void>;
  }) {
    this.#book = book;
    this.#shelves = shelves;
    this.#log = log;
    this.#onLost = onLost;
  }

  has(hash: Bytes): boolean {
    return this.#shelves.index.has(hash);
  }

  /** A copy that the caller may keep. */
  get(hash: Bytes, memoryFor?: MemoryFor): Bytes | undefined {
    const bytes = readBlock(this.#shelves, hash, memoryFor);
    if (bytes !== 'lost') return bytes;
    this.#lost(hash).catch(() => undefined);
    return undefined;
  }

  /** A reader found out that the bytes are not those of the hash. */
  async forget(hash: Bytes): Promise<void> {
    if (this.has(hash)) await this.#lost(hash);
  }

  /** What is there. Exact, also after a crash. */
  stats(): Pick<BlockTotals, 'blocks' | 'bytes'> {
    const { blocks, bytes } = this.#book.totals;
    return { blocks, bytes };
  }

  /** A power cut or a user took the file away: from now on it can be fetched again. */
  async #lost(hash: Bytes): Promise<void> {
    this.#log.warn('the file of a block is missing or damaged', { hash: toHex(hash) });
    await this.#onLost(hash);
  }
}
