/**
 * UnixFS nodes: what a block of a site is. Blocks come from strangers, so everything that AltNet
 * does not use is a reason to refuse, never an exception. It reads no store and no stream.
 */
import type { Bytes } from '../../base/bytes.ts';
import { utf8 } from '../../base/bytes.ts';
import { murmur3 } from './murmur.ts';
import { decodeNodeOctets } from './decode-node.ts';
import { decodeUnixfsOctets, type UnixfsData, unixfsTypes } from './decode-unixfs.ts';
import type { Link } from './root.ts';

/** As in Bitswap: AltNet makes blocks of at most 256 KiB, others of 1 MiB and a header. */
export const blockBytesMax: number = 2 * 1024 * 1024;

/** Part of a file: `size` is how many bytes of the file it holds, as its parent says. */
export interface FilePart extends Link {
  readonly size: number;
}

/** `size` counts all blocks below, as the folder says; nobody checks it. */
export interface FolderEntry extends Link {
  readonly name: string;
  readonly size: number;
}

/**
 * A file is its `inline` bytes followed by its parts. The entries of a shard have names of `digits`
 * hex digits (a deeper shard) or of that prefix and the name of an entry of the folder.
 */
export type Node =
  | {
      readonly kind: 'file';
      readonly inline: Bytes;
      readonly parts: readonly FilePart[];
      readonly size: number;
    }
  | { readonly kind: 'folder'; readonly entries: readonly FolderEntry[] }
  | {
      readonly kind: 'shard';
      readonly bits: number;
      readonly digits: number;
      readonly entries: readonly FolderEntry[];
    }
  | { readonly kind: 'bad'; readonly why: string };

const noBytes: Bytes = new Uint8Array();

function bad(why: string): Node {
  return { kind: 'bad', why };
}

/** What the block that `link` names is. `bytes` must be verified already. */
export function decodeNode(link: Link, bytes: Bytes): Node {
  if (link.codec === 'raw') {
    return { kind: 'file', inline: bytes, parts: [], size: bytes.length };
  }
  const node = decodeNodeOctets(bytes);
  if (node.kind === 'bad') return node;
  const unixfs = node.data && decodeUnixfsOctets(node.data);
  if (!unixfs) return bad('a block is not UnixFS');
  const { links } = node;
  switch (unixfs.type) {
    case unixfsTypes.raw:
    case unixfsTypes.file:
      return decodeFile(links, unixfs);
    case unixfsTypes.folder:
      return { kind: 'folder', entries: links };
    case unixfsTypes.shard:
      return decodeShard(links, unixfs.fanout);
    default:
      return bad('metadata and symbolic links are not supported');
  }
}

function decodeFile(entries: readonly FolderEntry[], unixfs: UnixfsData): Node {
  const inline = unixfs.data ?? noBytes;
  const { partSizes } = unixfs;
  if (partSizes.length !== entries.length) {
    return bad('a file does not say how large its parts are');
  }
  const size = partSizes.reduce((sum, part) => sum + part, inline.length);
  if (!Number.isSafeInteger(size)) return bad('a file claims to be larger than any disk');
  const parts = entries.map(({ codec, hash }, i) => ({ codec, hash, size: partSizes[i] ?? 0 }));
  return { kind: 'file', inline, parts, size };
}

function decodeShard(entries: readonly FolderEntry[], fanout: number): Node {
  const bits = Math.log2(fanout);
  if (!Number.isInteger(bits) || bits < 3 || bits > 10) return bad('a folder has a wrong fanout');
  const digits = (fanout - 1).toString(16).length;
  if (entries.length > fanout) return bad('a shard has more entries than places');
  if (
    !entries.every(({ name }) => hexPrefix.test(name.slice(0, digits)) && name.length >= digits)
  ) {
    return bad('a shard has an entry without a place');
  }
  return { kind: 'shard', bits, digits, entries };
}

const hexPrefix = /^[0-9A-F]+$/;

export type ShardStep =
  | { readonly kind: 'entry'; readonly entry: FolderEntry }
  | { readonly kind: 'deeper'; readonly entry: FolderEntry }
  | undefined;

/** Where `name` continues in a shard that is `level` shards below the folder's root; 0 at the root. */
export function stepShard(node: Node & { kind: 'shard' }, name: string, level: number): ShardStep {
  const { bits, digits, entries } = node;
  const index = shardIndex(murmur3(utf8(name)), { bits, level });
  if (index === undefined) return undefined;
  const prefix = index.toString(16).toUpperCase().padStart(digits, '0');
  for (const entry of entries) {
    if (entry.name === prefix) return { kind: 'deeper', entry };
    if (entry.name === prefix + name) return { kind: 'entry', entry };
  }
  return undefined;
}

/** The `level`-th group of `bits` bits of a name's hash; undefined when they are used up. */
export function shardIndex(
  hash: Bytes,
  { bits, level }: { bits: number; level: number },
): number | undefined {
  const from = bits * level;
  if (from + bits > hash.length * 8) return undefined;
  let index = 0;
  for (let bit = from; bit < from + bits; bit++) {
    index = (index << 1) | (((hash[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1);
  }
  return index;
}
