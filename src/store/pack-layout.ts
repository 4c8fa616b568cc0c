/**
 * How blocks lie in pack files: which go into one file, where, and what its head says of them
 * (docs/spec/store.md). It knows bytes, and neither files nor tables.
 */
import { asBuffer, type Bytes } from '../base/bytes.ts';
import { packHeadBytes, packLineBytes } from './costs.ts';
import type { PackPlace } from './block-place.ts';

export interface PackLimits {
  /** Of the blocks in one pack, unless a single one is longer. */
  readonly bytesMax: number;
  readonly blocksMax: number;
}

export interface PackedBlock {
  readonly hash: Bytes;
  readonly bytes: Bytes;
}

/** What the head says of one block. */
export interface PackLine {
  readonly hash: Bytes;
  readonly place: PackPlace;
}

/** A pack as it is to be written. */
export interface NewPack {
  readonly number: number;
  readonly lines: readonly PackLine[];
  /** The whole file: its head, then block by block. */
  readonly parts: readonly Bytes[];
  readonly fileBytes: number;
  /** Sum of the blocks' lengths. */
  readonly bytes: number;
}

/** "ANPK" */
const magic = 0x414e_504b;
const packBytesMax = 8 * 1024 * 1024;
const packBlocksMax = 1024;
/** Of a small budget: while a pack is written again, the folder takes so much more. */
const budgetShare = 1 / 64;
/** The longest head that there can be. */
export const headBytesMax: number = packHeadBytes + packBlocksMax * packLineBytes;

export function packLimitsOf(budgetBytes: number): PackLimits {
  const bytesMax = Math.min(packBytesMax, Math.floor(budgetBytes * budgetShare));
  return { bytesMax, blocksMax: packBlocksMax };
}

/** Those that share a pack, in the order in which they are given. */
export function sharedOut<T extends { readonly bytes: { readonly length: number } }>(
  blocks: Iterable<T>,
  { bytesMax, blocksMax }: PackLimits,
): T[][] {
  const packs: T[][] = []; // BOUNDED by the blocks
  let [pack, bytes]: [T[], number] = [[], 0];
  for (const block of blocks) {
    const isFull = bytes + block.bytes.length > bytesMax || pack.length === blocksMax;
    if (packs.length === 0 || isFull) {
      [pack, bytes] = [[], 0];
      packs.push(pack);
    }
    pack.push(block);
    bytes += block.bytes.length;
  }
  return packs;
}

export function layOut(blocks: readonly PackedBlock[], number: number): NewPack {
  let offset = packHeadBytes + blocks.length * packLineBytes;
  const head = Buffer.alloc(offset);
  head.writeUInt32BE(magic, 0);
  head.writeUInt32BE(blocks.length, 4);
  const headBytes = offset;
  const lines = blocks.map(({ hash, bytes }, i): PackLine => {
    const place: PackPlace = { at: 'pack', pack: number, offset, bytes: bytes.length };
    const at = packHeadBytes + i * packLineBytes;
    head.set(hash, at);
    head.writeUInt32BE(offset, at + 32);
    head.writeUInt32BE(bytes.length, at + 36);
    offset += bytes.length;
    return { hash, place };
  });
  const parts = [head, ...blocks.map(({ bytes }) => bytes)];
  return { number, lines, parts, fileBytes: offset, bytes: offset - headBytes };
}

/** `file`: as many of its first octets as `headBytesMax`. Undefined when they are no head. */
export function decodeHead(file: Bytes, pack: number): PackLine[] | undefined {
  const head = asBuffer(file);
  if (head.length < packHeadBytes || head.readUInt32BE(0) !== magic) return undefined;
  const count = head.readUInt32BE(4);
  if (count > packBlocksMax) return undefined;
  if (head.length < packHeadBytes + count * packLineBytes) return undefined;
  return Array.from({ length: count }, (_, i): PackLine => {
    const at = packHeadBytes + i * packLineBytes;
    const [offset, bytes] = [head.readUInt32BE(at + 32), head.readUInt32BE(at + 36)];
    const hash = new Uint8Array(head.subarray(at, at + 32));
    return { hash, place: { at: 'pack', pack, offset, bytes } };
  });
}
