/**
 * From files on disk to blocks in the store. Blocks are written while files are still being read;
 * nothing is announced here, so an import that fails leaves at most blocks that nobody refers to,
 * which the store drops in time. What is known to be unchanged since an earlier import is not read
 * again.
 */
import { type Clock, systemWorld } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import { forEachOf } from '../base/parallel.ts';
import { adoptKnown } from './adopt-known.ts';
import { BlockWriter } from './block-writer.ts';
import { blocksOf, type BlockSink, buildFolder, type BuiltFile, type NamedBuilt } from './build.ts';
import { type ImportMemory, type KnownFile, printOf } from './import-memory.ts';
import type { Blocks, Holding } from './ports.ts';
import {
  type FileTarget,
  isSmall,
  type ReadFile,
  readLargeFile,
  readSmallFile,
} from './read-files.ts';
import type { Link } from './root.ts';
import { scan, type ScannedFile, type ScannedFolder } from './scan.ts';
import { Slabs } from './slabs.ts';
import { Turns } from './turns.ts';
import { walkBlocksMax, walkDepthMax } from './walk.ts';

export interface Imported {
  /** Always a folder: a single file becomes a folder of one. */
  readonly root: Link;
  readonly files: number;
  /** Of the files' content. */
  readonly bytes: number;
  /** '' to open the folder itself, "/name" when it holds just one file that is not its index. */
  readonly entry: string;
}

export interface ImportProgress {
  readonly bytes: number;
  readonly bytesTotal: number;
  readonly files: number;
  readonly filesTotal: number;
}

export interface ImportOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: ImportProgress) => void) | undefined;
  readonly clock?: Clock | undefined;
  /** What earlier imports read, and the blocks that they made. Without it, all is read. */
  readonly known?: { readonly memory: ImportMemory; readonly blocks: Blocks } | undefined;
}

/** Large files read at the same time: one is hashed while the others wait for the disk. */
const largeFilesAtOnce = 4;

/**
 * Imports the folder or file at `from`, an absolute path. Rejects with PATH_MISSING,
 * PATH_UNREADABLE, PATH_UNSUPPORTED, FOLDER_EMPTY, DISK_FULL, STORE_FULL (before anything is read,
 * as far as that can be foreseen) or the signal's reason.
 */
export async function importPath(
  holding: Pick<Holding, 'putAll' | 'adopt' | 'reserve'>,
  from: string,
  { signal, onProgress, clock = systemWorld.clock, known }: ImportOptions = {},
): Promise<Imported> {
  const folder = await scan(from, { signal });
  const files = listFiles(folder);
  const count = files.reduce((sum, { bytes }) => sum + blocksOf(bytes), 0);
  requireFewBlocks(from, count);
  const tally = new Tally(files, onProgress);
  const built = new Map<ScannedFile, BuiltFile>(); // BOUNDED by filesMax
  const prints = new Map<string, KnownFile>(); // BOUNDED by filesMax
  if (known) {
    const recalled = await known.memory.recall(from, { signal });
    const { blocks } = known;
    for (const one of await adoptKnown(files, { recalled, blocks, holding, signal })) {
      built.set(one.file, one.built);
      prints.set(one.print, one.built);
      tally.add(one.file.bytes);
      tally.endFile();
    }
  }
  const unread = files.filter((file) => !built.has(file));
  await holding.reserve(unread.reduce((sum, { bytes }) => sum + roomOf(bytes), 0));
  const slabs = new Slabs();
  const writer = new BlockWriter(holding, { slabs });
  const target = { sink: writer.add.bind(writer), slabs, clock, signal, onBytes: tally.add };
  await readFiles(unread, target, (file, read) => {
    built.set(file, read.built);
    tally.endFile();
    if (known && read.settled) prints.set(printOf({ ...file, stamp: read.stamp }), read.built);
  });
  const root = await importFolders(folder, {
    from,
    built,
    writer,
    blocksLeft: walkBlocksMax - count,
  });
  await writer.finish();
  await known?.memory.remember(from, prints);
  signal?.throwIfAborted();
  const { bytes } = tally;
  return { root, files: files.length, bytes, entry: entryOf(folder) };
}

class Tally {
  bytes = 0;
  #files = 0;
  readonly #totals: { readonly bytesTotal: number; readonly filesTotal: number };
  readonly #onProgress: ((done: ImportProgress) => void) | undefined;

  constructor(
    files: readonly ScannedFile[],
    onProgress: ((done: ImportProgress) => void) | undefined,
  ) {
    const bytesTotal = files.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#totals = { bytesTotal, filesTotal: files.length };
    this.#onProgress = onProgress;
  }

  readonly add = (bytes: number): void => {
    this.bytes += bytes;
    this.#report();
  };

  endFile(): void {
    this.#files++;
    this.#report();
  }

  #report(): void {
    this.#onProgress?.({ bytes: this.bytes, files: this.#files, ...this.#totals });
  }
}

function entryOf({ entries }: ScannedFolder): string {
  const [only] = entries;
  const lone = entries.length === 1 && only?.kind === 'file' && only.name !== 'index.html';
  return lone ? `/${only.name}` : '';
}

function listFiles(folder: ScannedFolder): ScannedFile[] {
  return folder.entries.flatMap((entry) => (entry.kind === 'file' ? [entry] : listFiles(entry)));
}

async function readFiles(
  files: readonly ScannedFile[],
  target: FileTarget,
  onRead: (file: ScannedFile, read: ReadFile) => void,
): Promise<void> {
  const turns = new Turns(target.signal);
  for (const file of files) {
    if (!isSmall(file)) continue;
    await turns.next();
    onRead(file, await readSmallFile(file, target));
  }
  const large = files.filter((file) => !isSmall(file));
  await forEachOf(large, largeFilesAtOnce, async (file) => {
    onRead(file, await readLargeFile(file, target));
  });
}

interface FolderTarget {
  readonly from: string;
  readonly built: ReadonlyMap<ScannedFile, BuiltFile>;
  readonly writer: BlockWriter;
  /** How many blocks the folders may have. */
  readonly blocksLeft: number;
}

async function importFolders(
  folder: ScannedFolder,
  { from, built, writer, blocksLeft }: FolderTarget,
): Promise<Link> {
  let left = blocksLeft;
  const sink: BlockSink = (block) => {
    if (--left < 0) throw tooManyBlocks(from);
    return writer.add(block);
  };
  const { codec, hash, depth } = await importFolder(folder, { built, sink });
  if (depth <= walkDepthMax) return { codec, hash };
  throw new AltNetError('PATH_UNSUPPORTED', { path: from, why: 'it is nested too deep' });
}

async function importFolder(
  folder: ScannedFolder,
  target: { built: ReadonlyMap<ScannedFile, BuiltFile>; sink: BlockSink },
): Promise<NamedBuilt> {
  const entries: NamedBuilt[] = [];
  for (const entry of folder.entries) {
    if (entry.kind === 'folder') {
      entries.push(await importFolder(entry, target));
      continue;
    }
    const file = target.built.get(entry);
    if (file) entries.push({ ...file, name: entry.name });
  }
  return { ...(await buildFolder(entries, target.sink)), name: folder.name };
}

/** One walk must be able to see them all, see walk.ts. */
function requireFewBlocks(from: string, count: number): void {
  if (count > walkBlocksMax) throw tooManyBlocks(from);
}

function tooManyBlocks(path: string): AltNetError {
  const why = `it needs more than ${walkBlocksMax} blocks; publish it in parts`;
  return new AltNetError('PATH_UNSUPPORTED', { path, why });
}

const pageBytes = 4096;
const entryBytes = 256;

/**
 * What the blocks of a file of this size take on the disk, about: the store counts exactly, and has
 * the last word.
 */
function roomOf(bytes: number): number {
  if (bytes <= pageBytes) return Math.ceil(bytes * 1.5) + entryBytes;
  return Math.ceil(bytes / pageBytes) * pageBytes + blocksOf(bytes) * entryBytes;
}
