/**
 * Files and folders that an earlier import has seen and that did not change since: their blocks are
 * named for the new holding instead of being made again. It opens no file.
 */
import type { Bytes } from '../../base/bytes.ts';
import { isAltNetError } from '../../base/errors.ts';
import { adoptAll } from '../dag/adopt.ts';
import type { Built, BuiltFile } from '../dag/build.ts';
import { hashKey } from '../dag/root.ts';
import type { Blocks } from '../ports.ts';
import { Turns } from '../turns.ts';
import { HashList } from './hash-list.ts';
import { type KnownFolder, type KnownRows, noStamp } from './known-rows.ts';
import type { ScannedFile, ScannedFolder } from './scanned.ts';
import { pathStampOf, stampOf } from './stamp.ts';

/** What of a site need not be read, as long as its blocks are here. */
export interface Recognised {
  /** With all that is in them. BOUNDED by the folders of a site */
  readonly folders: Map<ScannedFolder, KnownFolder>;
  /** In other folders. BOUNDED by filesMax */
  readonly files: Map<ScannedFile, BuiltFile>;
  /** The other files of these folders. BOUNDED by filesMax */
  readonly unread: ScannedFile[];
  /**
   * Folders that are others now, by the place of their rows, and what of their files was made into
   * was not found again. BOUNDED by the rows
   */
  readonly changed: Map<number, readonly Built[]>;
}

export interface RecogniseOptions {
  readonly rows: KnownRows;
  /** By the stamp of the path. */
  readonly folders: ReadonlyMap<string, KnownFolder>;
  /** Keys of the hashes of blocks that are not here. */
  readonly lost: ReadonlySet<string>;
  readonly signal: AbortSignal | undefined;
}

/** Folders of which nothing was kept (`isKnown`) are recognised as long as nothing is lost. */
export async function recognise(
  site: ScannedFolder,
  { rows, folders, lost, signal }: RecogniseOptions,
): Promise<Recognised> {
  const found: Recognised = {
    folders: new Map(),
    files: new Map(),
    unread: [],
    changed: new Map(),
  };
  const turns = new Turns(signal);
  const isLost = ({ hash }: Built): boolean => lost.size > 0 && lost.has(hashKey(hash));
  const visit = async (folder: ScannedFolder): Promise<void> => {
    const known = folders.get(pathStampOf(folder.path));
    if (known?.stamp === folder.stamp && !hasLost(rows, known, lost)) {
      found.folders.set(folder, known);
      return;
    }
    const byStamp = new Map<string, Built>(); // BOUNDED by the files of the folder
    const gone: Built[] = []; // BOUNDED likewise
    for (const { stamp, built } of known ? rows.filesOf(known) : []) {
      if (stamp === noStamp) gone.push(built);
      else byStamp.set(stamp, built);
    }
    for (const file of folder.files) {
      const turn = turns.next();
      if (turn) await turn;
      const stamp = byStamp.size > 0 && stampOf(file.path, file.says);
      const built = stamp !== false && byStamp.get(stamp);
      if (built && !isLost(built)) {
        found.files.set(file, { ...built, size: file.bytes });
        byStamp.delete(stamp);
      } else found.unread.push(file);
    }
    if (known) found.changed.set(known.at, [...gone, ...byStamp.values()]);
    for (const one of folder.folders) await visit(one);
  };
  await visit(site);
  return found;
}

function hasLost(rows: KnownRows, folder: KnownFolder, lost: ReadonlySet<string>): boolean {
  if (lost.size === 0) return false;
  for (const hash of rows.nodesOf(folder)) if (lost.has(hashKey(hash))) return true;
  for (const { hash } of rows.builtOf(folder)) if (lost.has(hashKey(hash))) return true;
  for (const one of rows.foldersOf(folder)) if (hasLost(rows, one, lost)) return true;
  return false;
}

export interface HashesOptions extends RecogniseOptions {
  readonly blocks: Blocks;
}

/**
 * The blocks of what was recognised, and the keys of the files' top blocks below which one is
 * lost.
 */
export async function hashesOf(
  { folders, files }: Recognised,
  { rows, blocks, lost: lostBefore, signal }: HashesOptions,
): Promise<{ hashes: HashList; lost: readonly string[] }> {
  const hashes = new HashList(); // BOUNDED by walkBlocksMax, which an import does not exceed
  const lost: string[] = []; // BOUNDED by filesMax
  const turns = new Turns(signal);
  const addFile = async (built: Built): Promise<void> => {
    if (built.codec === 'raw') return hashes.add(built.hash);
    const found = await blocksOfFile(blocks, built);
    const isWhole = lostBefore.size === 0 || found?.every((one) => !lostBefore.has(hashKey(one)));
    if (!found || !isWhole) return void lost.push(hashKey(built.hash));
    for (const hash of found) hashes.add(hash);
  };
  const addFolder = async (folder: KnownFolder): Promise<void> => {
    for (const hash of rows.nodesOf(folder)) hashes.add(hash);
    for (const built of rows.addLeavesOf(folder, hashes)) await addFile(built);
    const turn = turns.next();
    if (turn) await turn;
    for (const one of rows.foldersOf(folder)) await addFolder(one);
  };
  for (const known of folders.values()) await addFolder(known);
  for (const built of files.values()) await addFile(built);
  return { hashes, lost };
}

/** Of a file, its top block included; undefined when a node is not here. */
export async function blocksOfFile(
  blocks: Blocks,
  file: Built,
): Promise<readonly Bytes[] | undefined> {
  const found: Bytes[] = []; // BOUNDED by walkBlocksMax
  const collector = {
    adopt: (some: readonly Bytes[]): Promise<readonly Bytes[]> => {
      for (const hash of some) found.push(hash);
      return Promise.resolve([]);
    },
  };
  try {
    await adoptAll(blocks, file, collector);
    return found;
  } catch (error) {
    const isGone = isAltNetError(error, 'CONTENT_UNAVAILABLE');
    if (isGone || isAltNetError(error, 'CONTENT_BAD')) return undefined;
    throw error;
  }
}
