/**
 * Which blocks this node has, how many, and the small ones themselves, in LMDB. It knows nothing
 * of files; `blocks` keeps both in step.
 */
import { asBuffer, type Bytes } from '../base/bytes.ts';
import type { Changes, Environment, Table } from './environment.ts';
import { tableEntries } from './tables.ts';

/** Blocks of at most this many bytes stand in the index: a file takes up no less on most disks. */
export const inlineBytesMax = 4096;

export interface BlockCounts {
  readonly blocks: number;
  /** Sum of the blocks' own lengths. */
  readonly bytes: number;
}

/** Where a block is. */
export type BlockPlace =
  | { readonly at: 'index'; readonly bytes: Bytes }
  | { readonly at: 'file'; readonly size: number };

const inlineTag = 0;
const fileTag = 1;
const fileEntryBytes = 5;
const countsKey: Bytes = Buffer.from('block-counts');

export class BlockIndex {
  readonly #blocks: Table;
  readonly #meta: Table;

  constructor(environment: Environment) {
    this.#blocks = environment.table('blocks');
    this.#meta = environment.table('meta');
  }

  has(hash: Bytes): boolean {
    return this.#blocks.doesExist(hash);
  }

  find(hash: Bytes): BlockPlace | undefined {
    const entry = this.#blocks.getBinary(hash);
    return entry && decodeEntry(entry);
  }

  counts(): BlockCounts {
    const stored = this.#meta.getBinary(countsKey);
    if (stored?.length !== 16) return { blocks: 0, bytes: 0 };
    return { blocks: stored.readDoubleBE(0), bytes: stored.readDoubleBE(8) };
  }

  /** Part of a commit: counts and entries change together or not at all. */
  setCounts(changes: Changes, { blocks, bytes }: BlockCounts): void {
    const value = Buffer.alloc(16);
    value.writeDoubleBE(blocks, 0);
    value.writeDoubleBE(bytes, 8);
    changes.put(this.#meta, { key: countsKey, value });
  }

  put(changes: Changes, { hash, bytes }: { hash: Bytes; bytes: Bytes }): void {
    changes.put(this.#blocks, { key: hash, value: encodeEntry(bytes) });
  }

  remove(changes: Changes, hash: Bytes): void {
    changes.remove(this.#blocks, hash);
  }

  *entries(): Iterable<{ readonly hash: Bytes; readonly place: BlockPlace | undefined }> {
    for (const { key, value } of tableEntries(this.#blocks)) {
      yield { hash: new Uint8Array(key), place: decodeEntry(value) };
    }
  }
}

export function sizeOf(place: BlockPlace): number {
  return place.at === 'index' ? place.bytes.length : place.size;
}

function encodeEntry(bytes: Bytes): Bytes {
  if (bytes.length <= inlineBytesMax) {
    const entry = new Uint8Array(1 + bytes.length);
    entry[0] = inlineTag;
    entry.set(bytes, 1);
    return entry;
  }
  const entry = Buffer.alloc(fileEntryBytes);
  entry.writeUInt8(fileTag, 0);
  entry.writeUInt32BE(bytes.length, 1);
  return entry;
}

function decodeEntry(entry: Bytes): BlockPlace | undefined {
  if (entry[0] === inlineTag) return { at: 'index', bytes: entry.subarray(1) };
  if (entry[0] !== fileTag || entry.length !== fileEntryBytes) return undefined;
  return { at: 'file', size: asBuffer(entry).readUInt32BE(1) };
}
