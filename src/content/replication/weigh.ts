/** How much a DAG that is here takes: its blocks and their bytes. Leaves are not read for it. */
import { readNode } from '../dag/folder.ts';
import type { Blocks } from '../ports.ts';
import { hashKey, type Link } from '../dag/root.ts';
import { walkBlocksMax } from '../dag/walk.ts';
import { Turns } from '../turns.ts';

export interface Weight {
  readonly blocks: number;
  /** Each block once; a leaf as large as the block above it says. */
  readonly bytes: number;
}

/** Rejects with CONTENT_UNAVAILABLE when a block is not here (any more), or with CONTENT_BAD. */
export async function weigh(blocks: Blocks, root: Link): Promise<Weight> {
  const seen = new Set([hashKey(root.hash)]); // BOUNDED by walkBlocksMax, see below
  if (root.codec === 'raw') return { blocks: 1, bytes: blocks.get(root.hash)?.length ?? 0 };
  const pending: Link[] = [root]; // BOUNDED by `seen`
  let bytes = 0;
  const turns = new Turns();
  for (let link = pending.pop(); link !== undefined; link = pending.pop()) {
    const turn = turns.next();
    if (turn) await turn;
    bytes += blocks.get(link.hash)?.length ?? 0;
    const node = readNode(blocks, link);
    for (const part of node.kind === 'file' ? node.parts : node.entries) {
      const key = hashKey(part.hash);
      if (seen.has(key) || seen.size >= walkBlocksMax) continue;
      seen.add(key);
      if (part.codec === 'raw') bytes += part.size;
      else pending.push({ codec: part.codec, hash: part.hash });
    }
  }
  return { blocks: seen.size, bytes };
}
