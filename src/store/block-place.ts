/**
 * Where a block is and how long it is, as its entry in the index says it (docs/spec/store.md). It
 * knows the octets of an entry and no tables.
 */
import { asBuffer, type Bytes } from '../base/bytes.ts';

export type BlockPlace =
  /** In the entry itself. */
  | { readonly at: 'index'; readonly bytes: number }
  | PackPlace
  /** In a file of its own, as versions before 4 have written it. */
  | { readonly at: 'file'; readonly bytes: number };

/** `bytes` from `offset` on in the pack file of this number. */
export interface PackPlace {
  readonly at: 'pack';
  readonly bytes: number;
  readonly pack: number;
  readonly offset: number;
}

const indexTag = 0;
const fileTag = 1;
const packTag = 2;
const fileEntryBytes = 5;
const packEntryBytes = 13;

export function encodeInlineEntry(bytes: Bytes): Bytes {
  const entry = new Uint8Array(1 + bytes.length);
  entry[0] = indexTag;
  entry.set(bytes, 1);
  return entry;
}

export function encodePackEntry({ pack, offset, bytes }: PackPlace): Bytes {
  const entry = Buffer.alloc(packEntryBytes);
  entry.writeUInt8(packTag, 0);
  entry.writeUInt32BE(pack, 1);
  entry.writeUInt32BE(offset, 5);
  entry.writeUInt32BE(bytes, 9);
  return entry;
}

/** Undefined for what this version cannot read. */
export function decodePlace(bytes: Bytes): BlockPlace | undefined {
  const [tag] = bytes;
  if (tag === indexTag) return { at: 'index', bytes: bytes.length - 1 };
  const entry = asBuffer(bytes); // of what LMDB lends, only `length` ends where the entry does
  if (tag === packTag && bytes.length === packEntryBytes) {
    const [pack, offset] = [entry.readUInt32BE(1), entry.readUInt32BE(5)];
    return { at: 'pack', pack, offset, bytes: entry.readUInt32BE(9) };
  }
  if (tag !== fileTag || bytes.length !== fileEntryBytes) return undefined;
  return { at: 'file', bytes: entry.readUInt32BE(1) };
}

/** The block, if it stands in its entry. */
export function inlineBytesOf(entry: Bytes): Bytes {
  return entry.subarray(1);
}
