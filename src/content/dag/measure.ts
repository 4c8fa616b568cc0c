/**
 * How many files, folders and bytes a site has when it is spread out on disk. A folder that
 * contains the same folder many times over, level after level, costs no more than one visit of
 * each block.
 */
import { listFolder, readNode } from './folder.ts';
import type { Blocks } from '../ports.ts';
import { hashKey, type Link } from './root.ts';
import { walkDepthMax } from './walk.ts';

/** Of one site, and as many folders: what is neither published nor written to a disk beyond. */
export const filesMax = 200_000;

export interface Measure {
  readonly files: number;
  readonly folders: number;
  /** At most 2^53 − 1, where a hostile site claims more. */
  readonly bytes: number;
}

/** The DAG must be here. Throws CONTENT_BAD or CONTENT_UNAVAILABLE. */
export function measure(blocks: Blocks, root: Link): Measure {
  const known = new Map<string, Measure>(); // BOUNDED by the folders of a held DAG
  return measureLink(blocks, { link: root, sizeSaid: 0, depth: 1 }, known);
}

function measureLink(
  blocks: Blocks,
  { link, sizeSaid, depth }: { link: Link; sizeSaid: number; depth: number },
  known: Map<string, Measure>,
): Measure {
  if (link.codec === 'raw') {
    // Reading every small file only to count its bytes is not worth it: the folder says the size.
    const bytes = depth === 1 ? (blocks.get(link.hash)?.length ?? 0) : sizeSaid;
    return { files: 1, folders: 0, bytes };
  }
  const key = hashKey(link.hash);
  const before = known.get(key);
  if (before || depth > walkDepthMax) return before ?? { files: 0, folders: 0, bytes: 0 };
  const node = readNode(blocks, link);
  let sum: Measure = { files: 1, folders: 0, bytes: node.kind === 'file' ? node.size : 0 };
  if (node.kind !== 'file') {
    sum = { files: 0, folders: 1, bytes: 0 };
    for (const entry of listFolder(blocks, node, filesMax)) {
      const one = measureLink(
        blocks,
        { link: entry, sizeSaid: entry.size, depth: depth + 1 },
        known,
      );
      sum = {
        files: Math.min(sum.files + one.files, Number.MAX_SAFE_INTEGER),
        folders: Math.min(sum.folders + one.folders, Number.MAX_SAFE_INTEGER),
        bytes: Math.min(sum.bytes + one.bytes, Number.MAX_SAFE_INTEGER),
      };
    }
  }
  known.set(key, sum);
  return sum;
}
