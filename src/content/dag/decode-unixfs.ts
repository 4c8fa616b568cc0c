/**
 * What a node says of itself: the message of UnixFS inside it, as far as AltNet uses it. It knows
 * nothing of links; whoever reads a node compares the two.
 */
import type { Bytes } from '../../base/bytes.ts';
import { nodeLinksMax } from './decode-node.ts';
import { OctetReader, wireTypes } from './octet-reader.ts';

/** `type` as UnixFS numbers them: 0 raw, 1 folder, 2 file, 5 shard, and others. */
export interface UnixfsData {
  readonly type: number;
  readonly data: Bytes | undefined;
  /** Of each part of a file. Not safe where somebody claims more than a disk holds. */
  readonly partSizes: readonly number[];
  readonly fanout: number;
}

export const unixfsTypes = { raw: 0, folder: 1, file: 2, shard: 5 } as const;
const typesMax = 6;

const fields = { type: 1, data: 2, partSize: 4, fanout: 6 } as const;
/** Besides the sizes: type, data, size, hash, fanout, mode and time, and some that may come. */
const otherFieldsMax = 64;

/** Undefined when it is not UnixFS, or has more fields than a node may have links. */
export function decodeUnixfsOctets(bytes: Bytes): UnixfsData | undefined {
  const reader = new OctetReader(bytes);
  const partSizes: number[] = []; // BOUNDED by nodeLinksMax
  let type: number = unixfsTypes.file;
  let fanout = 0;
  let others = 0;
  let data: Bytes | undefined;
  while (!reader.isAtEnd) {
    const key = reader.varint();
    const field = Math.floor(key / 8);
    const wireType = key & 7;
    if (field === fields.data) {
      if (wireType !== wireTypes.octets) return undefined;
      const length = reader.varint();
      if (!reader.skip(length)) return undefined;
      data = bytes.subarray(reader.at - length, reader.at);
    } else if (field === fields.type || field === fields.partSize || field === fields.fanout) {
      const value = wireType === wireTypes.varint ? reader.varint() : -1;
      if (value < 0) return undefined;
      if (field === fields.type) type = value;
      else if (field === fields.fanout) fanout = value;
      else if (partSizes.push(value) > nodeLinksMax) return undefined;
    } else if (key < 0 || !reader.skipValue(wireType)) {
      return undefined;
    }
    if (field !== fields.partSize && ++others > otherFieldsMax) return undefined;
  }
  return type < typesMax ? { type, data, partSizes, fanout } : undefined;
}
