/** Folders that are here from top to bottom, read as lists of entries, sharded or not. */
import { toHex } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import type { Blocks } from './ports.ts';
import type { Link } from './root.ts';
import { decodeNode, type FolderEntry, type Node } from './unixfs.ts';
import { walkBlocksMax } from './walk.ts';

export type GoodNode = Exclude<Node, { kind: 'bad' }>;

/** Throws CONTENT_UNAVAILABLE when the block is not here, CONTENT_BAD when it is not UnixFS. */
export function readNode(blocks: Blocks, link: Link): GoodNode {
  const bytes = blocks.get(link.hash);
  const root = toHex(link.hash);
  if (!bytes) throw new AltNetError('CONTENT_UNAVAILABLE', { root, why: 'a block is missing' });
  const node = decodeNode(link, bytes);
  if (node.kind === 'bad') throw new AltNetError('CONTENT_BAD', { root, why: node.why });
  return node;
}

/**
 * The entries of a folder whose node is `node`, at most `entriesMax` of them; those of a sharded
 * one in order of name. Throws as `readNode` does.
 */
export function listFolder(
  blocks: Blocks,
  node: GoodNode & { kind: 'folder' | 'shard' },
  entriesMax: number,
): readonly FolderEntry[] {
  if (node.kind === 'folder') return node.entries.slice(0, entriesMax);
  const found: FolderEntry[] = [];
  const pending = [node]; // BOUNDED by the links of the shards on the way down
  let shards = 0;
  for (let shard = pending.pop(); shard && found.length < entriesMax; shard = pending.pop()) {
    if (++shards > walkBlocksMax) break; // shards that link to each other's copies over and over
    for (const entry of shard.entries) {
      if (entry.name.length > shard.digits) {
        found.push({ ...entry, name: entry.name.slice(shard.digits) });
        continue;
      }
      const child = readNode(blocks, entry);
      if (child.kind === 'shard') pending.push(child);
    }
  }
  return found.toSorted(byName).slice(0, entriesMax);
}

function byName(a: FolderEntry, b: FolderEntry): number {
  return a.name < b.name ? -1 : 1;
}
