/**
 * Blocks by the SHA-256 of their bytes, as they are read: small ones from LMDB, the others from
 * files of their own, for a memory-mapped database would count everything that is read as this
 * process's memory (docs/spec/store.md has the measurement). It does not verify hashes: callers do.
 */
import { type Bytes, toHex } from '../base/bytes.ts';
import type { Logger } from '../base/logger.ts';
import type { Blocks, MemoryFor } from '../content/ports.ts';
import type { BlockFiles } from './block-files.ts';
import type { BlockIndex, BlockTotals } from './block-index.ts';
import type { Book } from './book.ts';

export class BlockStore implements Blocks {
  readonly #book: Book;
  readonly #index: BlockIndex;
  readonly #files: BlockFiles;
  readonly #log: Logger;
  readonly #onLost: (hash: Bytes) => Promise<void>;

  constructor({
    book,
    index,
    files,
    log,
    onLost,
  }: {
    book: Book;
    index: BlockIndex;
    files: BlockFiles;
    log: Logger;
    onLost: (hash: Bytes) => Promise<void>;
  }) {
    this.#book = book;
    this.#index = index;
    this.#files = files;
    this.#log = log;
    this.#onLost = onLost;
  }

  has(hash: Bytes): boolean {
    return this.#index.has(hash);
  }

  /** A copy that the caller may keep. */
  get(hash: Bytes, memoryFor?: MemoryFor): Bytes | undefined {
    const place = this.#index.find(hash);
    if (!place) return undefined;
    if (place.at === 'index') return place.bytes;
    const bytes = this.#files.read(hash, place.size, memoryFor);
    if (!bytes) this.#lost(hash).catch(() => undefined);
    return bytes;
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
