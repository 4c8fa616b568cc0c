/**
 * The one LMDB environment: its tables, its commits, and what its errors mean. It knows nothing of
 * what the tables hold.
 *
 * Reads are synchronous and see every commit that was acknowledged. Writes go to LMDB's own
 * thread, where those that wait together share a transaction.
 */
import { rmSync, statfsSync } from 'node:fs';
import process from 'node:process';
import { open, type RootDatabase } from 'lmdb';
import { sleep } from '../base/abort.ts';
import type { Bytes } from '../base/bytes.ts';
import type { Timers } from '../base/clock.ts';
import { AltNetError, systemCode } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { inspectDatabaseFile } from './database-file.ts';
import { closedError } from './queue.ts';
import { Table, type TableStats } from './table.ts';

/** What a commit does; nothing of it is visible before the commit is acknowledged. */
export interface Changes {
  /** `value` must not be changed any more. */
  put(table: Table, entry: { readonly key: Bytes; readonly value: Bytes }): void;
  remove(table: Table, key: Bytes): void;
}

/**
 * Kept free on the disk. LMDB must never meet a full disk: lmdb 3.5.6 reports it by writing beyond
 * a buffer of its own, which may end the process. The other files of this node (logs, keys) need
 * some space too.
 */
const reserveBytes = 4 * 1024 * 1024;

/** Removing needs some space, and is what makes some: it may use part of the reserve. */
const reserveForRemovalBytes = 1024 * 1024;

/** What an entry costs at worst beside its value: its leaf page and a share of the pages above. */
const entryOverheadBytes = 8192;

/** Tables that hold no blocks and nothing of them. */
const otherTables = ['records', 'journal', 'notes'];

/**
 * Addresses, not memory. LMDB begins with 128 KiB and doubles, and every map that became too small
 * stays in memory until the store is closed: an index of 50 MB took 100. It grows beyond this, too.
 * On Windows a map may make the file as long as itself.
 */
const mapBytes = 1024 ** 3;

const closeTimeoutMs = 1000;
/** Nobody can tell a slow disk from a flush that never comes. */
const flushTimeoutMs = 10_000;
const ignore = (): void => undefined;

export class Environment {
  readonly #root: RootDatabase<Buffer, Uint8Array>;
  readonly #folder: string;
  readonly #timers: Timers;
  /** BOUNDED by the callers, who wait for their commits. */
  readonly #pending = new Set<Promise<unknown>>();
  /** BOUNDED by the tables that there are. */
  readonly #tables = new Map<string, Table>();
  #failed = false;
  #closed: Promise<void> | undefined;

  constructor({
    root,
    folder,
    timers,
  }: {
    root: RootDatabase<Buffer, Uint8Array>;
    folder: string;
    timers: Timers;
  }) {
    this.#root = root;
    this.#folder = folder;
    this.#timers = timers;
  }

  /**
   * To be opened before the first `commit`: opening a table is a transaction at once, and ends the
   * one that others are reading in.
   */
  table(name: string): Table {
    this.#requireOpen();
    const known = this.#tables.get(name);
    if (known) return known;
    const lmdb = this.#root.openDB<Buffer, Uint8Array>({
      name,
      encoding: 'binary',
      keyEncoding: 'binary',
      cache: false,
    });
    const table = new Table(lmdb, () => this.#requireOpen());
    this.#tables.set(name, table);
    return table;
  }

  /** What the file takes, less what is in the tables of `otherTables`: used pages and free ones. */
  blockPagesBytes(): number {
    this.#requireOpen();
    const { lastPageNumber, pageSize } = this.#root.getStats() as TableStats;
    const others = otherTables.map((name) => this.table(name).stats()).map(pagesOf);
    return (lastPageNumber + 1 - others.reduce((sum, pages) => sum + pages, 0)) * pageSize;
  }

  /** Runs `write` at once, in one transaction that is on the disk on return. For start-up only. */
  commitSync(write: () => void): void {
    this.#requireOpen();
    this.#root.transactionSync(write);
  }

  /**
   * All of `write` or nothing; at most some thousand entries. Resolves when a crash of this process
   * can no longer undo it; the disk has it a moment later. Rejects with DISK_FULL.
   */
  async commit(
    write: (changes: Changes) => void,
    { removesOnly = false }: { readonly removesOnly?: boolean } = {},
  ): Promise<void> {
    this.#requireOpen();
    this.#requireFree(removesOnly ? reserveForRemovalBytes : reserveBytes);
    const work = this.#root.batch(() => write(quietChanges()));
    this.#pending.add(work);
    try {
      await work;
    } catch (error) {
      this.#failed = true;
      throw this.#explain(error);
    } finally {
      this.#pending.delete(work);
    }
  }

  /** Throws DISK_FULL unless the disk has room for so much and the reserve. */
  requireSpace({ entries, bytes }: { readonly entries: number; readonly bytes: number }): void {
    this.#requireFree(bytes + entries * entryOverheadBytes + reserveBytes);
  }

  /** Whether the disk has room for so much and the reserve. */
  hasSpace({ entries, bytes }: { readonly entries: number; readonly bytes: number }): boolean {
    return this.missingBytes(bytes + entries * entryOverheadBytes) <= 0;
  }

  /** How much the disk lacks of so much and the reserve; at most 0 when it has room. */
  missingBytes(bytes: number): number {
    return bytes + reserveBytes - this.#freeBytes();
  }

  #requireOpen(): void {
    if (this.#closed) throw closedError();
  }

  #requireFree(bytes: number): void {
    if (this.#freeBytes() >= bytes) return;
    throw new AltNetError('DISK_FULL', { folder: this.#folder });
  }

  /** Resolves when the disk has what was committed, or has had long enough for it. */
  flushed(): Promise<void> {
    this.#requireOpen();
    return this.#within(flushTimeoutMs, this.#root.flushed);
  }

  /** Waits for what was begun. What is asked of it from now on is refused, reads as well. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#pending);
    const closing = this.#root.close();
    // After a failed commit LMDB's close() may wait for a flush that never comes.
    return this.#failed ? this.#within(closeTimeoutMs, closing) : closing;
  }

  async #within(timeoutMs: number, work: PromiseLike<unknown>): Promise<void> {
    const limit = new AbortController();
    const limited = sleep(this.#timers, timeoutMs, limit.signal).catch(ignore);
    await Promise.race([work, limited]);
    limit.abort();
  }

  #freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.#folder);
    return bavail * bsize;
  }

  /** LMDB reports a full disk as an input/output error, since it only sees a short write. */
  #explain(error: unknown): AltNetError {
    handleReason(error);
    const folder = this.#folder;
    if (systemCode(error) === 'ENOSPC' || this.#freeBytes() < reserveBytes) {
      return new AltNetError('DISK_FULL', { folder }, { cause: error });
    }
    return new AltNetError('INTERNAL', { what: `cannot write to ${folder}` }, { cause: error });
  }
}

function pagesOf(stats: TableStats): number {
  return stats.treeBranchPageCount + stats.treeLeafPageCount + stats.overflowPages;
}

/** LMDB gives the reason of a failed commit as a promise, which nobody else would look after. */
function handleReason(failure: unknown): void {
  if (!(failure instanceof Error) || !('commitError' in failure)) return;
  if (failure.commitError instanceof Promise) failure.commitError.catch(ignore);
}

/** Each write also gives a promise, mostly the same; the batch's promise tells no less. */
function quietChanges(): Changes {
  let last: Promise<unknown> | undefined;
  const quiet = (promise: Promise<unknown>): void => {
    if (promise !== last) promise.catch(ignore);
    last = promise;
  };
  return {
    put: (table, { key, value }) => quiet(table.put(key, value)),
    remove: (table, key) => quiet(table.remove(key)),
  };
}

/** The caller has claimed `folder`. Throws STORE_DAMAGED or what the file system throws. */
export function openEnvironment({
  folder,
  file,
  timers,
  log,
}: {
  folder: string;
  file: string;
  timers: Timers;
  log: Logger;
}): Environment {
  const inspection = inspectDatabaseFile(file);
  if (inspection.state === 'damaged') {
    throw new AltNetError('STORE_DAMAGED', { folder, why: inspection.why });
  }
  const safeRestore = inspection.state === 'sound-when-flushed';
  if (safeRestore) log.warn('the newest writes are damaged; going back to the last flushed ones');
  // No other process uses the file, so whoever stands in LMDB's table of readers is dead.
  rmSync(`${file}-lock`, { force: true });
  try {
    const root = open<Buffer, Uint8Array>({
      path: file,
      noSubdir: true,
      maxDbs: 16,
      cache: false,
      encoding: 'binary',
      // Otherwise a failed commit also rejects a promise that nobody can reach: the process ends.
      eventTurnBatching: false,
      ...(process.platform !== 'win32' && { mapSize: mapBytes }),
      ...(safeRestore && { safeRestore }),
    });
    return new Environment({ root, folder, timers });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new AltNetError('STORE_DAMAGED', { folder, why }, { cause: error });
  }
}
