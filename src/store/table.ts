/**
 * One table of the LMDB environment, as everybody else sees it. It knows keys and values as bytes.
 *
 * What is read is read at once and as a whole: no cursor outlives the call that made it. And once
 * the environment is being closed, nothing is read any more: LMDB frees its read transaction when
 * that begins, and would go on reading through it (lmdb 3.5.6), which ends the process.
 */
import type { Database } from 'lmdb';
import type { Bytes } from '../base/bytes.ts';

/** Keys sort as bytes, with at most 1,978 of them. What is read is Buffers of their own. */
export type LmdbTable = Database<Buffer, Uint8Array>;

export interface KeyRange {
  readonly start?: Bytes;
  readonly exclusiveStart?: boolean;
  readonly end?: Bytes;
  readonly inclusiveEnd?: boolean;
  /** How many are read at most. */
  readonly limit?: number;
}

export interface TableEntry {
  readonly key: Buffer;
  readonly value: Buffer;
}

export interface TableStats {
  readonly pageSize: number;
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
  /** Of the whole file. */
  readonly lastPageNumber: number;
}

export class Table {
  readonly #lmdb: LmdbTable;
  readonly #requireOpen: () => void;

  /** `requireOpen` throws once nothing may be read any more. */
  constructor(lmdb: LmdbTable, requireOpen: () => void) {
    this.#lmdb = lmdb;
    this.#requireOpen = requireOpen;
  }

  /** A copy of the value. */
  get(key: Bytes): Buffer | undefined {
    this.#requireOpen();
    return this.#lmdb.getBinary(key);
  }

  /** The same without a copy: it is valid until the next read of any table. */
  peek(key: Bytes): Bytes | undefined {
    this.#requireOpen();
    return this.#lmdb.getBinaryFast(key);
  }

  has(key: Bytes): boolean {
    this.#requireOpen();
    return this.#lmdb.doesExist(key);
  }

  /** In order of key, a state of one moment. */
  keys(range: KeyRange = {}): Buffer[] {
    this.#requireOpen();
    return [...this.#lmdb.getKeys({ ...range })] as Buffer[];
  }

  /** In order of key, a state of one moment. */
  entries(range: KeyRange = {}): TableEntry[] {
    this.#requireOpen();
    return [...this.#lmdb.getRange({ ...range })] as TableEntry[];
  }

  stats(): TableStats {
    this.#requireOpen();
    return this.#lmdb.getStats() as TableStats;
  }

  /** Within a commit; `value` must not be changed any more. */
  put(key: Bytes, value: Bytes): Promise<unknown> {
    return this.#lmdb.put(key, value as Buffer);
  }

  /** Within a commit. */
  remove(key: Bytes): Promise<unknown> {
    return this.#lmdb.remove(key);
  }

  /** Within a commit that is made at once, as all that follows. */
  putSync(key: Bytes, value: Bytes): void {
    this.#lmdb.putSync(key, value as Buffer);
  }

  removeSync(key: Bytes): void {
    this.#lmdb.removeSync(key);
  }

  clearSync(): void {
    this.#lmdb.clearSync();
  }
}
