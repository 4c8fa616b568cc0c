/**
 * What the version before named and this one does not: a few blocks mostly, of which the store is
 * told instead of the thousands that stay. It reads nodes of large files, and no folder.
 */
import type { Bytes } from '../../base/bytes.ts';
import type { Built } from '../dag/build.ts';
import { hashKey } from '../dag/root.ts';
import type { Blocks } from '../ports.ts';
import type { HashList } from './hash-list.ts';
import type { KnownFolder, KnownRows } from './known-rows.ts';
import { blocksOfFile, type Recognised } from './recognise.ts';

/** More than these are named one by one by the store as well. */
const goneMax = 4096;

export interface GoneOptions {
  readonly rows: KnownRows;
  readonly blocks: Blocks;
  /** All that is named again. */
  readonly named: HashList;
}

/** Undefined when it is much, or a node of the version before is not here. */
export async function goneOf(
  { folders, changed }: Recognised,
  { rows, blocks, named }: GoneOptions,
): Promise<readonly Bytes[] | undefined> {
  const gone = new FewHashes();
  const kept = new Set<number>(); // BOUNDED by the folders of a site
  for (const { at } of folders.values()) kept.add(at);
  const addFile = async (built: Built): Promise<boolean> => {
    const found = built.codec === 'raw' ? [built.hash] : await blocksOfFile(blocks, built);
    for (const hash of found ?? []) gone.add(hash);
    return found !== undefined && gone.size <= goneMax;
  };
  const addFolder = async (folder: KnownFolder): Promise<boolean> => {
    if (kept.has(folder.at)) return true;
    for (const hash of rows.nodesOf(folder)) gone.add(hash);
    for (const built of changed.get(folder.at) ?? rows.builtOf(folder)) {
      if (!(await addFile(built))) return false;
    }
    for (const one of rows.foldersOf(folder)) if (!(await addFolder(one))) return false;
    return true;
  };
  const { top } = rows;
  if (!top || !(await addFolder(top))) return undefined;
  gone.removeAll(named);
  return gone.hashes();
}

const hashBytes = 32;

/** Hashes of which most of many others are none, which is told by two octets. */
class FewHashes {
  readonly #hashes = new Map<string, Bytes>(); // BOUNDED by goneMax and one file or folder
  readonly #begins = new Uint8Array(2 ** 16);

  get size(): number {
    return this.#hashes.size;
  }

  add(hash: Bytes): void {
    this.#hashes.set(hashKey(hash), hash);
    this.#begins[beginAt(hash, 0)] = 1;
  }

  removeAll({ bytes }: HashList): void {
    for (let at = 0; at < bytes.length; at += hashBytes) {
      if (this.#begins[beginAt(bytes, at)] === 0) continue;
      this.#hashes.delete(hashKey(bytes.subarray(at, at + hashBytes)));
    }
  }

  hashes(): readonly Bytes[] {
    return [...this.#hashes.values()];
  }
}

function beginAt(bytes: Bytes, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
