/**
 * UnixFS blocks made here: balanced trees of raw leaves for files, plain or sharded nodes for
 * folders, byte for byte what other UnixFS programs make with 256 KiB chunks and CIDv1, so that
 * the same content has the same root everywhere (docs/spec/content.md). Reads no files.
 */
import { UnixFS } from 'ipfs-unixfs';
import { type Bytes, utf8 } from '../../base/bytes.ts';
import { sha256 } from '../../base/hash.ts';
import { encodeNode, type NodeLink } from './encode-node.ts';
import { murmur3 } from './murmur.ts';
import type { Block } from '../ports.ts';
import type { Link } from './root.ts';
import { shardIndex } from './unixfs.ts';

export const chunkBytes: number = 256 * 1024;
const partsPerNode = 174;
/** Above this sum of names and CIDs a folder is sharded. */
const flatFolderBytesMax = 262_144;
const cidBytes = 36;
const shardBits = 8;
const murmurCode = 0x22n;

/** A finished part of a DAG. */
export interface Built extends Link {
  /** Bytes of all blocks below and including it. */
  readonly total: number;
  /** Blocks from here down to the deepest leaf. */
  readonly depth: number;
}

/** A finished file or a part of one: `size` is the bytes of content. */
export interface BuiltFile extends Built {
  readonly size: number;
}

/** How many blocks a file of so many bytes has, those that occur twice counted twice. */
export function blocksOf(bytes: number): number {
  let level = Math.max(1, Math.ceil(bytes / chunkBytes));
  let count = level;
  while (level > 1) {
    level = Math.ceil(level / partsPerNode);
    count += level;
  }
  return count;
}

/** Where finished blocks go; waits while there are too many of them. */
export type BlockSink = (block: Block) => Promise<void> | undefined;

/** Takes the chunks of one file in order. */
export class FileBuilder {
  readonly #sink: BlockSink;
  /** Unfinished nodes: [0] of leaves, [1] of nodes of leaves … BOUNDED by partsPerNode each. */
  readonly #levels: BuiltFile[][] = [];

  constructor(sink: BlockSink) {
    this.#sink = sink;
  }

  /** `chunk` has `chunkBytes` bytes, the last one fewer; it must not change afterwards. */
  async add(chunk: Bytes): Promise<void> {
    const hash = sha256(chunk);
    await this.#sink({ hash, bytes: chunk });
    const { length } = chunk;
    await this.#place({ codec: 'raw', hash, size: length, total: length, depth: 1 }, 0);
  }

  async finish(): Promise<BuiltFile> {
    for (let level = 0; level < this.#levels.length; level++) {
      const parts = this.#levels[level] ?? [];
      const [only] = parts;
      const top = level === this.#levels.length - 1;
      if (top && parts.length === 1 && only) return only;
      if (parts.length === 0) continue;
      this.#levels[level] = [];
      await this.#place(await this.#makeNode(parts), level + 1);
    }
    await this.add(new Uint8Array()); // an empty file is one empty block
    return this.finish();
  }

  async #place(part: BuiltFile, level: number): Promise<void> {
    const parts = (this.#levels[level] ??= []);
    parts.push(part);
    if (parts.length < partsPerNode) return;
    this.#levels[level] = [];
    await this.#place(await this.#makeNode(parts), level + 1);
  }

  async #makeNode(parts: readonly BuiltFile[]): Promise<BuiltFile> {
    const unixfs = new UnixFS({ type: 'file', blockSizes: parts.map(({ size }) => BigInt(size)) });
    const links = parts.map((part) => ({ ...part, name: '' }));
    const built = await putNode(unixfs, links, this.#sink);
    return { ...built, size: parts.reduce((sum, { size }) => sum + size, 0) };
  }
}

/** An entry of a folder that is being built. */
export interface NamedBuilt extends Built {
  readonly name: string;
}

/** The node or nodes of a folder. The order of `entries` does not matter. */
export function buildFolder(entries: readonly NamedBuilt[], sink: BlockSink): Promise<Built> {
  const listBytes = entries.reduce((sum, { name }) => sum + Buffer.byteLength(name) + cidBytes, 0);
  if (listBytes > flatFolderBytesMax) {
    const hashed = entries.map((entry) => ({ entry, hash: murmur3(utf8(entry.name)) }));
    return buildShard(hashed, 0, sink);
  }
  return putNode(new UnixFS({ type: 'directory' }), entries, sink);
}

interface HashedEntry {
  readonly entry: NamedBuilt;
  readonly hash: Bytes;
}

async function buildShard(
  entries: readonly HashedEntry[],
  level: number,
  sink: BlockSink,
): Promise<Built> {
  const slots = new Map<number, HashedEntry[]>(); // BOUNDED by 2^shardBits
  for (const hashed of entries) {
    const index = shardIndex(hashed.hash, { bits: shardBits, level });
    // Eight levels of eight bits: only names with equal hashes get here, which takes an attacker.
    if (index === undefined) throw new RangeError('two names of a folder have the same hash');
    const slot = slots.get(index);
    if (slot) slot.push(hashed);
    else slots.set(index, [hashed]);
  }
  const links: NamedBuilt[] = [];
  for (const [index, slot] of [...slots].toSorted(([a], [b]) => a - b)) {
    const prefix = index.toString(16).toUpperCase().padStart(2, '0');
    const [only] = slot;
    const single = slot.length === 1 ? only?.entry : undefined;
    const child = single ?? (await buildShard(slot, level + 1, sink));
    links.push({ ...child, name: single ? prefix + single.name : prefix });
  }
  const unixfs = new UnixFS({
    type: 'hamt-sharded-directory',
    data: slotBits([...slots.keys()]),
    fanout: BigInt(2 ** shardBits),
    hashType: murmurCode,
  });
  return putNode(unixfs, links, sink);
}

/** Which slots are taken, as a big-endian number without leading zero bytes. */
function slotBits(slots: readonly number[]): Uint8Array {
  const bits = slots.reduce((sum, slot) => sum | (1n << BigInt(slot)), 0n);
  const hex = bits.toString(16);
  return Uint8Array.from(Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex'));
}

async function putNode(
  unixfs: UnixFS,
  links: readonly (NodeLink & Built)[],
  sink: BlockSink,
): Promise<Built> {
  const bytes = encodeNode(unixfs.marshal(), links);
  const hash = sha256(bytes);
  await sink({ hash, bytes });
  let total = bytes.length;
  let depth = 0;
  for (const link of links) {
    total += link.total;
    depth = Math.max(depth, link.depth);
  }
  return { codec: 'dag-pb', hash, total, depth: depth + 1 };
}
