/** Roots and multihashes as they stand in records: SHA-256 only, in one encoding. */
import { CID } from 'multiformats/cid';
import { type Bytes, equalBytes } from '../base/bytes.ts';

/** 0x12 (SHA-256), 0x20 (32 bytes), digest. */
export const multihashBytes = 34;

export function isSha256Multihash(bytes: Bytes): boolean {
  return bytes.length === multihashBytes && bytes[0] === 0x12 && bytes[1] === 0x20;
}

/** Version 1 and codec dag-pb or raw: what sites and single files are made of. */
export function isRoot(cid: CID): boolean {
  const known = cid.code === dagPbCode || cid.code === rawCode;
  return cid.version === 1 && known && isSha256Multihash(cid.multihash.bytes);
}

const dagPbCode = 0x70;
const rawCode = 0x55;

/** The root that these 36 bytes are, or undefined. */
export function parseRoot(bytes: Bytes): CID | undefined {
  try {
    const cid = CID.decode(bytes);
    return isRoot(cid) && equalBytes(cid.bytes, bytes) ? cid : undefined;
  } catch {
    return undefined;
  }
}
