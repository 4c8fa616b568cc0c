/**
 * The bytes of a range of a file for one reader: blocks are fetched in order and ahead of the
 * reader, but not far, since most who look into a large file do not want all of it.
 */
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { sha256 } from '../../base/hash.ts';
import { Delivery } from '../fetching/delivery.ts';
import type { Fetcher } from '../fetching/fetch.ts';
import type { Reading } from '../fetching/fetch-job.ts';
import type { ByteRange } from '../dag/byte-range.ts';
import { missingOfFile, readFile } from '../dag/file.ts';
import type { Blocks, Holding } from '../ports.ts';
import type { Link } from '../dag/root.ts';
import type { FilePart } from '../dag/unixfs.ts';

/** At first; doubled whenever the reader has to wait although it read all that was ahead. */
const aheadBytesMin = 2 * 1024 * 1024;
const aheadBytesMax = 16 * 1024 * 1024;
/** Less is not worth another look at what is missing. */
const stepBytes = 256 * 1024;

export interface FileWanted {
  readonly root: Link;
  readonly part: FilePart;
  readonly range: ByteRange;
  readonly into: () => Promise<Holding>;
  readonly signal: AbortSignal | undefined;
}

export class FileSource implements Reading {
  readonly #blocks: Blocks;
  readonly #what: FileWanted;
  readonly #deliver: () => Delivery;
  #delivery: Delivery;
  readonly #listeners = new Set<() => void>(); // BOUNDED by the one fetch
  #at: number;
  #toldAt: number;
  #aheadBytes = aheadBytesMin;

  constructor(fetcher: Fetcher, what: FileWanted) {
    const { root, part, range, into, signal } = what;
    this.#what = what;
    this.#blocks = fetcher.blocks(root);
    this.#at = range.from;
    this.#toldAt = range.from;
    const missing = (): ReturnType<typeof missingOfFile> =>
      missingOfFile(this.#blocks, part, { from: this.#at, to: this.#wantedTo });
    this.#deliver = () => new Delivery(fetcher, { root, missing, into, reading: this }, signal);
    this.#delivery = this.#deliver();
  }

  async *read(): AsyncGenerator<Bytes, void, undefined> {
    const { part, range, into } = this.#what;
    // What is open is not evicted: the rest of what is being read stays until it has been read.
    await using stack = new AsyncDisposableStack();
    stack.use(await into());
    try {
      for await (const piece of readFile(part, range, (link) => this.#block(link))) {
        yield piece;
        this.#advance(piece.length);
      }
    } finally {
      this.#delivery.stop();
    }
  }

  moved(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  isAtEnd(): boolean {
    return this.#wantedTo >= this.#what.range.to;
  }

  get #wantedTo(): number {
    return Math.min(this.#at + this.#aheadBytes, this.#what.range.to);
  }

  #block(link: Link): Bytes | Promise<Bytes> {
    this.#what.signal?.throwIfAborted();
    const bytes = this.#blocks.get(link.hash);
    if (!bytes) return this.#fetched(link);
    return equalBytes(sha256(bytes), link.hash) ? bytes : this.#fetchedAgain(link);
  }

  /** What a disk has changed is forgotten and had from others. The fetch so far does not know. */
  async #fetchedAgain(link: Link): Promise<Bytes> {
    await this.#blocks.forget?.(link.hash);
    this.#delivery.stop();
    this.#delivery = this.#deliver();
    return this.#fetched(link);
  }

  #fetched(link: Link): Promise<Bytes> {
    if (this.#at > this.#what.range.from) {
      this.#aheadBytes = Math.min(this.#aheadBytes * 2, aheadBytesMax);
    }
    this.#tell();
    return this.#delivery.until(() => this.#blocks.get(link.hash));
  }

  #advance(bytes: number): void {
    this.#at += bytes;
    if (this.#at - this.#toldAt >= stepBytes) this.#tell();
  }

  #tell(): void {
    this.#toldAt = this.#at;
    for (const listener of this.#listeners) listener();
  }
}
