/**
 * From files on disk to blocks in the store. Blocks are written while files are still being read;
 * nothing is announced here, so an import that fails leaves at most blocks that nobody refers to,
 * which the store drops in time. What is known to be unchanged since an earlier import is not read
 * again.
 */
import { type Clock, systemWorld } from '../../base/clock.ts';
import { AltNetError } from '../../base/errors.ts';
import { forEachOf } from '../../base/parallel.ts';
import { adoptFiles, recognise, type RecognisedFile } from './adopt-known.ts';
import { BlockWriter } from '../block-writer.ts';
import {
  blocksOf,
  type BlockSink,
  buildFolder,
  type BuiltFile,
  type NamedBuilt,
} from '../dag/build.ts';
import { type ImportMemory, KnownFiles } from './import-memory.ts';
import type { Blocks, Holding } from '../ports.ts';
import {
  type FileTarget,
  isSmall,
  type ReadFile,
  readLargeFile,
  readSmallFile,
} from './read-files.ts';
import type { Link } from '../dag/root.ts';
import { scan, type ScannedFile, type ScannedFolder } from './scan.ts';
import { Slabs } from '../slabs.ts';
import { Turns } from '../turns.ts';
import type { Progress } from '../types.ts';
import { walkBlocksMax, walkDepthMax } from '../dag/walk.ts';

export interface Imported {
  /** Always a folder: a single file becomes a folder of one. */
  readonly root: Link;
  readonly files: number;
  /** Of the files' content. */
  readonly bytes: number;
  /** '' to open the folder itself, "/name" when it holds just one file that is not its index. */
  readonly entry: string;
}

/** After the first call with all bytes, only the folders are left to be made. */
export type ImportProgress = Required<Pick<Progress, 'phase' | 'bytes' | 'bytesTotal' | 'files'>>;

export interface ImportOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: ImportProgress) => void) | undefined;
  readonly clock?: Clock | undefined;
  /** What earlier imports read, and the blocks that they made. Without it, all is read. */
  readonly known?: { readonly memory: ImportMemory; readonly blocks: Blocks } | undefined;
}

/** Large files read at the same time: one is hashed while the others wait for the disk. */
const largeFilesAtOnce = 4;

type ImportHolding = Pick<Holding, 'putAll' | 'adopt' | 'reserve'>;

/**
 * Imports the folder or file at `from`, an absolute path. Rejects with PATH_MISSING,
 * PATH_UNREADABLE, PATH_UNSUPPORTED, FOLDER_EMPTY, DISK_FULL, STORE_FULL (before anything is read,
 * as far as that can be foreseen) or the signal's reason.
 */
export async function importPath(
  holding: ImportHolding,
  from: string,
  options: ImportOptions = {},
): Promise<Imported> {
  const { signal, known } = options;
  const folder = await scan(from, { signal });
  const work = new FolderImport(holding, { from, folder, options });
  const recalled = (await known?.memory.recall(from, { signal })) ?? KnownFiles.none;
  const { recognised, unread } = await recognise(work.files, { recalled, signal });
  await holding.reserve(roomForAll(unread) + roomToName(recognised));
  for (const { file, built } of recognised) work.take(file, built);
  const blocks = known?.blocks;
  const adoption = blocks
    ? adoptFiles(recognised, { blocks, holding, signal })
    : Promise.resolve([]);
  let root: Link;
  try {
    await work.read(unread);
    root = await work.buildFolders();
  } finally {
    await adoption.catch(() => undefined); // the holding must not be closed under it
  }
  const lost = (await adoption).map(({ file }) => file);
  if (lost.length > 0) {
    await holding.reserve(roomForAll(lost));
    await work.read(lost);
    root = await work.buildFolders();
  }
  await Promise.all([work.finish(), known?.memory.remember(from, work.stamps)]);
  signal?.throwIfAborted();
  const { files, bytes } = work;
  return { root, files: files.length, bytes, entry: entryOf(folder) };
}

function entryOf({ entries }: ScannedFolder): string {
  const [only] = entries;
  const lone = entries.length === 1 && only?.kind === 'file' && only.name !== 'index.html';
  return lone ? `/${only.name}` : '';
}

function listFiles(folder: ScannedFolder): ScannedFile[] {
  return folder.entries.flatMap((entry) => (entry.kind === 'file' ? [entry] : listFiles(entry)));
}

/** What is finished of one folder, and how the rest gets there. */
class FolderImport {
  readonly files: readonly ScannedFile[];
  /** What may be recognised the next time. BOUNDED by filesMax */
  readonly stamps = new Map<string, BuiltFile>();
  readonly #from: string;
  readonly #folder: ScannedFolder;
  readonly #options: ImportOptions;
  readonly #built = new Map<ScannedFile, BuiltFile>(); // BOUNDED by filesMax
  readonly #slabs = new Slabs();
  readonly #writer: BlockWriter;
  readonly #turns: Turns;
  readonly #fileBlocks: number;
  readonly #bytesTotal: number;
  #bytes = 0;

  /** Throws PATH_UNSUPPORTED. */
  constructor(
    holding: ImportHolding,
    { from, folder, options }: { from: string; folder: ScannedFolder; options: ImportOptions },
  ) {
    this.#from = from;
    this.#folder = folder;
    this.#options = options;
    this.files = listFiles(folder);
    this.#bytesTotal = sumOf(this.files, ({ bytes }) => bytes);
    this.#fileBlocks = sumOf(this.files, ({ bytes }) => blocksOf(bytes));
    this.#writer = new BlockWriter(holding, { slabs: this.#slabs });
    this.#turns = new Turns(options.signal);
    if (this.#fileBlocks > walkBlocksMax) throw this.#tooManyBlocks();
  }

  /** Of the files that are finished. */
  get bytes(): number {
    return sumOf([...this.#built.values()], ({ size }) => size);
  }

  /** A file that need not be read. */
  take(file: ScannedFile, built: BuiltFile): void {
    this.#built.set(file, built);
    this.stamps.set(file.stamp, built);
    this.#advance(file.bytes);
  }

  async read(files: readonly ScannedFile[]): Promise<void> {
    const { signal, clock = systemWorld.clock } = this.#options;
    const target: FileTarget = {
      sink: (block) => this.#writer.add(block),
      slabs: this.#slabs,
      clock,
      signal,
      onBytes: (count) => this.#advance(count),
    };
    for (const file of files) {
      if (!isSmall(file)) continue;
      await this.#turns.next();
      this.#takeRead(file, await readSmallFile(file, target));
    }
    const large = files.filter((file) => !isSmall(file));
    await forEachOf(large, largeFilesAtOnce, async (file) => {
      this.#takeRead(file, await readLargeFile(file, target));
    });
  }

  #takeRead(file: ScannedFile, { built, stamp, settled }: ReadFile): void {
    this.#built.set(file, built);
    this.stamps.delete(file.stamp);
    if (this.#options.known && settled) this.stamps.set(stamp, built);
    this.#advance(0);
  }

  #advance(bytes: number): void {
    this.#bytes += bytes;
    this.#options.onProgress?.({
      phase: 'reading',
      bytes: this.#bytes,
      bytesTotal: this.#bytesTotal,
      files: this.#built.size,
    });
  }

  /** All files are finished. */
  async buildFolders(): Promise<Link> {
    let left = walkBlocksMax - this.#fileBlocks;
    const sink: BlockSink = (block) => {
      if (--left < 0) throw this.#tooManyBlocks();
      const turn = this.#turns.next();
      return turn ? turn.then(() => this.#writer.add(block)) : this.#writer.add(block);
    };
    const { codec, hash, depth } = await this.#buildFolder(this.#folder, sink);
    if (depth <= walkDepthMax) return { codec, hash };
    throw new AltNetError('PATH_UNSUPPORTED', { path: this.#from, why: 'it is nested too deep' });
  }

  async #buildFolder(folder: ScannedFolder, sink: BlockSink): Promise<NamedBuilt> {
    const entries: NamedBuilt[] = [];
    for (const entry of folder.entries) {
      if (entry.kind === 'folder') {
        entries.push(await this.#buildFolder(entry, sink));
        continue;
      }
      const file = this.#built.get(entry);
      if (!file) continue;
      const { codec, hash, total, depth } = file;
      entries.push({ name: entry.name, codec, hash, total, depth });
    }
    return { ...(await buildFolder(entries, sink)), name: folder.name };
  }

  /** Resolves when every block is safe. */
  finish(): Promise<void> {
    return this.#writer.finish();
  }

  /** One walk must be able to see them all, see walk.ts. */
  #tooManyBlocks(): AltNetError {
    const why = `it needs more than ${walkBlocksMax} blocks; publish it in parts`;
    return new AltNetError('PATH_UNSUPPORTED', { path: this.#from, why });
  }
}

function sumOf<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0);
}

const pageBytes = 4096;
/** What the store writes about a block that is new, or that is here and gets another holding. */
const entryBytes = 256;
const nameBytes = 128;

/**
 * What the blocks of these files take on the disk, about: the store counts exactly, and has the
 * last word.
 */
function roomForAll(files: readonly ScannedFile[]): number {
  return sumOf(files, ({ bytes }) => {
    if (bytes <= pageBytes) return Math.ceil(bytes * 1.5) + entryBytes;
    return Math.ceil(bytes / pageBytes) * pageBytes + blocksOf(bytes) * entryBytes;
  });
}

function roomToName(files: readonly RecognisedFile[]): number {
  return sumOf(files, ({ file }) => blocksOf(file.bytes) * nameBytes);
}
