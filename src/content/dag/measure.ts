/**
 * How many files, folders and bytes a site has when it is spread out on disk. A folder that
 * contains the same folder many times over, level after level, costs no more than one visit of
 * each block.
 */
import { listFolder, readNode } from './folder.ts';
import type { Blocks } from '../ports.ts';
import { hashKey, type Link } from './root.ts';
import { Turns } from '../turns.ts';
import { walkDepthMax } from './walk.ts';

/** Of one site, and as many folders: what is neither published nor written to a disk beyond. */
export const filesMax = 200_000;

export interface Measure {
  readonly files: number;
  readonly folders: number;
  /** At most 2^53 − 1, where a hostile site claims more. */
  readonly bytes: number;
}

/** The DAG must be here. Rejects with CONTENT_BAD or CONTENT_UNAVAILABLE. */
export function measure(blocks: Blocks, root: Link): Promise<Measure> {
  if (root.codec === 'raw') {
    const bytes = blocks.get(root.hash)?.length ?? 0;
    return Promise.resolve({ files: 1, folders: 0, bytes });
  }
  return new Measuring(blocks).node(root, 1);
}

class Measuring {
  readonly #blocks: Blocks;
  readonly #known = new Map<string, Measure>(); // BOUNDED by the folders of a held DAG
  readonly #turns = new Turns();

  constructor(blocks: Blocks) {
    this.#blocks = blocks;
  }

  async node(link: Link, depth: number): Promise<Measure> {
    const key = hashKey(link.hash);
    const before = this.#known.get(key);
    if (before || depth > walkDepthMax) return before ?? { files: 0, folders: 0, bytes: 0 };
    await this.#turns.next();
    const node = readNode(this.#blocks, link);
    let sum: Measure = { files: 1, folders: 0, bytes: node.kind === 'file' ? node.size : 0 };
    if (node.kind !== 'file') {
      sum = { files: 0, folders: 1, bytes: 0 };
      for (const entry of listFolder(this.#blocks, node, filesMax)) {
        // Not every small file is read only to count its bytes: the folder says the size.
        const isLeaf = entry.codec === 'raw';
        const leaf = { files: 1, folders: 0, bytes: entry.size };
        sum = added(sum, isLeaf ? leaf : await this.node(entry, depth + 1));
      }
    }
    this.#known.set(key, sum);
    return sum;
  }
}

function added(sum: Measure, one: Measure): Measure {
  return {
    files: Math.min(sum.files + one.files, Number.MAX_SAFE_INTEGER),
    folders: Math.min(sum.folders + one.folders, Number.MAX_SAFE_INTEGER),
    bytes: Math.min(sum.bytes + one.bytes, Number.MAX_SAFE_INTEGER),
  };
}
