/**
 * Blocks by the SHA-256 of their bytes: small ones in LMDB, the others in files of their own, for
 * a memory-mapped database would count everything that is read as this process's memory
 * (docs/spec/store.md has the measurement). It does not verify hashes: callers do.
 *
 * The index decides. A block's file is complete before the index names it, and is removed after
 * the index has forgotten it; what a crash leaves in between is a file that nobody knows of, which
 * `recover` removes.
 */
import { type Bytes, toHex } from '../base/bytes.ts';
import { AltNetError, systemCode } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { forEachOf } from '../base/parallel.ts';
import type { BlockFiles } from './block-files.ts';
import { type BlockCounts, type BlockIndex, inlineBytesMax, sizeOf } from './block-index.ts';
import type { Changes, Environment } from './environment.ts';
import { takeStock } from './stocktaking.ts';

export interface Block {
  /** SHA-256 of `bytes`, 32 bytes. */
  readonly hash: Bytes;
  /** Not to be changed until `putAll` has resolved. */
  readonly bytes: Bytes;
}

/** One commit takes at most about this much of what waits. */
const groupBytesMax = 16 * 1024 * 1024;
const groupBlocksMax = 512;
const filesAtOnce = 16;
const removedAtOnce = 64;

type Job = PromiseWithResolvers<void> &
  (
    | { readonly kind: 'put'; readonly blocks: readonly Block[] }
    | { readonly kind: 'remove'; readonly hashes: readonly Bytes[] }
  );

export class BlockStore {
  readonly #environment: Environment;
  readonly #index: BlockIndex;
  readonly #files: BlockFiles;
  readonly #log: Logger;
  readonly #folder: string;
  /** BOUNDED by the callers, who wait for their own. */
  readonly #jobs: Job[] = [];
  #working: Promise<void> | undefined;
  #counts: BlockCounts;

  constructor({
    environment,
    index,
    files,
    folder,
    log,
  }: {
    environment: Environment;
    index: BlockIndex;
    files: BlockFiles;
    folder: string;
    log: Logger;
  }) {
    this.#environment = environment;
    this.#index = index;
    this.#files = files;
    this.#folder = folder;
    this.#log = log;
    this.#counts = index.counts();
  }

  has(hash: Bytes): boolean {
    return this.#index.has(hash);
  }

  /** A copy that the caller may keep. */
  get(hash: Bytes): Bytes | undefined {
    const place = this.#index.find(hash);
    if (!place) return undefined;
    if (place.at === 'index') return place.bytes;
    const bytes = this.#files.read(hash, place.size);
    if (!bytes) this.#forget(hash);
    return bytes;
  }

  /** A power cut or a user took the file away: from now on it can be fetched again. */
  #forget(hash: Bytes): void {
    this.#log.warn('the file of a block is missing or damaged', { hash: toHex(hash) });
    this.remove([hash]).catch(() => undefined);
  }

  /** What is there. Exact, also after a crash. */
  stats(): BlockCounts {
    return this.#counts;
  }

  /** Resolves when a crash of this process can no longer undo it. Rejects with DISK_FULL. */
  putAll(blocks: readonly Block[]): Promise<void> {
    return this.#enqueue({ kind: 'put', blocks, ...Promise.withResolvers<void>() });
  }

  /** What is not there is no error. */
  remove(hashes: readonly Bytes[]): Promise<void> {
    return this.#enqueue({ kind: 'remove', hashes, ...Promise.withResolvers<void>() });
  }

  /** Resolves when everything that was asked for is done or has failed. */
  async idle(): Promise<void> {
    while (this.#working) await this.#working;
  }

  #enqueue(job: Job): Promise<void> {
    this.#jobs.push(job);
    this.#working ??= this.#work();
    return job.promise;
  }

  /** Puts that wait share a commit; everything else happens one after the other. */
  async #work(): Promise<void> {
    for (let group = this.#nextGroup(); group.length > 0; group = this.#nextGroup()) {
      try {
        const [first] = group;
        if (first?.kind === 'remove') await this.#removeAll(first.hashes);
        else await this.#store(group.flatMap((job) => (job.kind === 'put' ? job.blocks : [])));
        for (const job of group) job.resolve();
      } catch (error) {
        for (const job of group) job.reject(this.#explain(error));
      }
    }
    this.#working = undefined;
  }

  #nextGroup(): Job[] {
    let bytes = 0;
    let blocks = 0;
    let count = 0;
    for (const job of this.#jobs) {
      if (job.kind === 'remove' || bytes > groupBytesMax || blocks > groupBlocksMax) break;
      bytes += bytesOf(job.blocks);
      blocks += job.blocks.length;
      count++;
    }
    return this.#jobs.splice(0, Math.max(count, 1));
  }

  async #store(blocks: readonly Block[]): Promise<void> {
    const fresh = new Map<string, Block>(); // BOUNDED by the group
    for (const block of blocks) {
      if (!this.has(block.hash)) fresh.set(toHex(block.hash), block);
    }
    if (fresh.size === 0) return;
    const added = [...fresh.values()];
    const bytes = bytesOf(added);
    this.#environment.requireSpace({ entries: added.length, bytes });
    const large = added.filter((block) => block.bytes.length > inlineBytesMax);
    try {
      await forEachOf(large, filesAtOnce, (block) => this.#files.write(block.hash, block.bytes));
      const counts = this.#counts;
      const after = { blocks: counts.blocks + added.length, bytes: counts.bytes + bytes };
      await this.#environment.commit((changes) => {
        for (const block of added) this.#index.put(changes, block);
        this.#index.setCounts(changes, after);
      });
      this.#counts = after;
    } catch (error) {
      await Promise.allSettled(large.map((block) => this.#files.remove(block.hash)));
      throw error;
    }
  }

  /** In small commits, since also removing takes some space at first. */
  async #removeAll(hashes: readonly Bytes[]): Promise<void> {
    for (let at = 0; at < hashes.length; at += removedAtOnce) {
      await this.#removeSome(hashes.slice(at, at + removedAtOnce));
    }
  }

  async #removeSome(hashes: readonly Bytes[]): Promise<void> {
    const held = new Map<string, { hash: Bytes; size: number }>(); // BOUNDED by removedAtOnce
    for (const hash of hashes) {
      const place = this.#index.find(hash);
      const size = place ? sizeOf(place) : 0; // an entry that cannot be read goes as well
      if (this.has(hash)) held.set(toHex(hash), { hash, size });
    }
    if (held.size === 0) return;
    const removed = [...held.values()];
    const counts = {
      blocks: this.#counts.blocks - removed.length,
      bytes: this.#counts.bytes - removed.reduce((sum, { size }) => sum + size, 0),
    };
    const write = (changes: Changes): void => {
      for (const { hash } of removed) this.#index.remove(changes, hash);
      this.#index.setCounts(changes, counts);
    };
    await this.#environment.commit(write, { removesOnly: true });
    this.#counts = counts;
    const large = removed.filter(({ size }) => size > inlineBytesMax);
    await forEachOf(large, filesAtOnce, ({ hash }) => this.#files.remove(hash));
  }

  #explain(error: unknown): unknown {
    const code = systemCode(error);
    if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
    return new AltNetError('DISK_FULL', { folder: this.#folder }, { cause: error });
  }

  /** After a crash: drops files without entry and entries without file, and counts anew. */
  async recover(): Promise<void> {
    const { counts, lost, orphans } = takeStock(this.#index, this.#files);
    this.#counts = counts;
    await this.#environment.commit((changes) => this.#index.setCounts(changes, counts), {
      removesOnly: true,
    });
    await this.#removeAll(lost);
    await forEachOf(orphans, filesAtOnce, (hash) => this.#files.remove(hash));
    const { blocks } = this.#counts;
    const found = { blocks, lost: lost.length, orphans: orphans.length };
    this.#log.info('checked the blocks after a crash', found);
  }
}

function bytesOf(blocks: readonly Block[]): number {
  return blocks.reduce((sum, block) => sum + block.bytes.length, 0);
}
