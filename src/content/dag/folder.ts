/** Folders that are here from top to bottom, read as lists of entries, sharded or not. */
import { toHex } from '../../base/bytes.ts';
import { AltNetError } from '../../base/errors.ts';
import type { Blocks } from '../ports.ts';
import { hashKey, type Link } from './root.ts';
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
 * one in order of name. Throws as `readNode` does, and CONTENT_BAD when a shard comes twice: names
 * have one place each, so only a trap has that, and following it would never end.
 */
export function listFolder(
  blocks: Blocks,
  node: GoodNode & { kind: 'folder' | 'shard' },
  entriesMax: number,
): readonly FolderEntry[] {
  if (node.kind === 'folder') return node.entries.slice(0, entriesMax);
  const found: FolderEntry[] = [];
  const seen = new Set<string>(); // BOUNDED by walkBlocksMax
  const pending: Link[] = []; // BOUNDED by `seen`
  for (let shard: GoodNode | undefined = node; shard && found.length < entriesMax;) {
    if (shard.kind === 'shard') {
      for (const entry of shard.entries) {
        if (entry.name.length === shard.digits) pending.push(requireNew(seen, entry));
        else found.push({ ...entry, name: entry.name.slice(shard.digits) });
      }
    }
    const next = pending.pop();
    shard = next && readNode(blocks, next);
  }
  return found.toSorted(byName).slice(0, entriesMax);
}

function requireNew(seen: Set<string>, shard: Link): Link {
  const key = hashKey(shard.hash);
  if (seen.has(key) || seen.size >= walkBlocksMax) {
    const why = 'a folder has the same shard twice, or too many';
    throw new AltNetError('CONTENT_BAD', { root: toHex(shard.hash), why });
  }
  seen.add(key);
  return shard;
}

function byName(a: FolderEntry, b: FolderEntry): number {
  return a.name < b.name ? -1 : 1;
}
