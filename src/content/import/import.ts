/**
 * From files on disk to blocks in the store. Blocks are written while files are still being read;
 * nothing is announced here, so an import that fails leaves at most blocks that nobody refers to,
 * which the store drops in time. What is known to be unchanged since an earlier import is not read
 * again.
 */
import { type Clock, systemWorld } from '../../base/clock.ts';
import { type Denials, noDenials } from '../../base/denial.ts';
import { forEachOf } from '../../base/parallel.ts';
import { hashKey, type Link } from '../dag/root.ts';
import { BlockWriter } from '../block-writer.ts';
import { blocksOf } from '../dag/build.ts';
import { requireBlock } from '../guarded-store.ts';
import type { Blocks, Holding, Likeness } from '../ports.ts';
import { Slabs } from '../slabs.ts';
import { Turns } from '../turns.ts';
import type { Progress } from '../types.ts';
import { goneOf } from './gone.ts';
import type { HashList } from './hash-list.ts';
import { type ImportMemory, type KnownSite, unknownSite } from './import-memory.ts';
import type { KnownFolder } from './known-rows.ts';
import { type FileTarget, isSmall, readLargeFile, readSmallFile } from './read-files.ts';
import { hashesOf, recognise, type Recognised } from './recognise.ts';
import { scan } from './scan.ts';
import type { ScannedFile, ScannedFolder } from './scanned.ts';
import { SiteBuild } from './site-build.ts';
import { pathStampOf } from './stamp.ts';

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
  /** What is not taken: an error names the path, which whoever stores blocks does not know. */
  readonly denials?: Pick<Denials, 'ofBlock'> | undefined;
}

/** Of blocks that share a commit, or are on their way to one: three times that is in memory. */
const batchBytesMax = 4 * 1024 * 1024;
/** Large files read at the same time: one is hashed while the others wait for the disk. */
const largeFilesAtOnce = 4;

type ImportHolding = Pick<Holding, 'putAll' | 'adopt' | 'reserve'>;

/**
 * Imports the folder or file at `from`, an absolute path. Rejects with PATH_MISSING,
 * PATH_UNREADABLE, PATH_UNSUPPORTED, FOLDER_EMPTY, CONTENT_REVOKED, CONTENT_BLOCKED, DISK_FULL,
 * STORE_FULL (before anything is read, as far as that can be foreseen) or the signal's reason.
 */
export async function importPath(
  holding: ImportHolding,
  from: string,
  options: ImportOptions = {},
): Promise<Imported> {
  const { signal, known } = options;
  const before = (await known?.memory.recall(from, { signal })) ?? unknownSite;
  const { work, site, unread } = await beginImport(holding, { from, before, options });
  await work.read(unread);
  const root = await work.finish();
  const remembered = known && { root: root.hash, rows: await work.rows() };
  if (remembered) await known.memory.remember(from, remembered);
  signal?.throwIfAborted();
  return { root, ...work.done, entry: entryOf(site) };
}

interface Begun {
  readonly work: SiteImport;
  readonly site: ScannedFolder;
  readonly unread: readonly ScannedFile[];
}

/** What is known from one attempt to the next, in each of which there is less to be lost. */
interface Attempt {
  /** By the stamp of the path. */
  readonly folders: ReadonlyMap<string, KnownFolder>;
  /** Keys of the hashes of blocks that are not here. BOUNDED by the blocks of the site */
  readonly lost: Set<string>;
  /** Bytes that were set aside. */
  reserved: number;
}

/** Begins anew when something turns out to be lost: all of it is looked at then. */
async function beginImport(
  holding: ImportHolding,
  { from, before, options }: { from: string; before: KnownSite; options: ImportOptions },
): Promise<Begun> {
  const { signal } = options;
  const folders = before.rows.byPath();
  const attempt: Attempt = { folders, lost: new Set(), reserved: 0 };
  const isKnown = (at: string, stamp: string): boolean =>
    attempt.lost.size === 0 && attempt.folders.get(pathStampOf(at))?.stamp === stamp;
  for (;;) {
    const site = await scan(from, { signal, isKnown });
    const work = new SiteImport(holding, { site, before, options });
    const unread = await work.recogniseSome(attempt);
    if (unread) return { work, site, unread };
  }
}

export function entryOf({ files, folders }: ScannedFolder): string {
  const [only] = files;
  const lone = files.length === 1 && folders.length === 0 && only?.name !== 'index.html';
  return lone && only ? `/${only.name}` : '';
}

/** What is finished of one site, and how the rest gets there. */
class SiteImport {
  readonly #holding: ImportHolding;
  readonly #site: ScannedFolder;
  readonly #before: KnownSite;
  readonly #options: ImportOptions;
  readonly #build: SiteBuild;
  readonly #slabs = new Slabs(undefined, { isShared: true });
  readonly #writer: BlockWriter;
  readonly #turns: Turns;
  #bytes = 0;
  #files = 0;

  /** Throws PATH_UNSUPPORTED. */
  constructor(
    holding: ImportHolding,
    { site, before, options }: { site: ScannedFolder; before: KnownSite; options: ImportOptions },
  ) {
    const { signal, denials } = options;
    this.#holding = holding;
    this.#site = site;
    this.#before = before;
    this.#options = options;
    this.#build = new SiteBuild(site, { rows: before.rows, signal, denials });
    this.#writer = new BlockWriter(holding, { slabs: this.#slabs, batchBytesMax });
    this.#turns = new Turns(signal);
  }

  get done(): { readonly files: number; readonly bytes: number } {
    return this.#build.done;
  }

  /**
   * Names what did not change and is here, and gives back the other files; undefined when something
   * is lost that was thought to be here. Before it does, room is set aside for all of it.
   */
  async recogniseSome(attempt: Attempt): Promise<readonly ScannedFile[] | undefined> {
    const { signal, known } = this.#options;
    const { rows } = this.#before;
    const { lost } = attempt;
    const from = { rows, folders: attempt.folders, lost, signal };
    const recognised = await recognise(this.#site, from);
    const room = roomFor(recognised);
    if (room > attempt.reserved) await this.#holding.reserve(room - attempt.reserved);
    attempt.reserved = Math.max(room, attempt.reserved);
    const lostBefore = lost.size;
    const { folders, files, unread } = recognised;
    if (known && folders.size + files.size > 0) {
      const named = await hashesOf(recognised, { ...from, blocks: known.blocks });
      for (const key of named.lost) lost.add(key);
      if (named.lost.length === 0) {
        const like = await this.#likeness(recognised, named.hashes);
        const missing = await this.#holding.adopt(named.hashes, { like });
        for (const hash of missing) lost.add(hashKey(hash));
      }
    }
    if (lost.size > lostBefore) return undefined;
    this.#build.recognised(recognised);
    this.#advance({
      bytes: this.#site.total.bytes - sumOf(unread, ({ bytes }) => bytes),
      files: this.#site.total.files - unread.length,
    });
    return unread;
  }

  async #likeness(recognised: Recognised, named: HashList): Promise<Likeness | undefined> {
    const { rows, root } = this.#before;
    const { known } = this.#options;
    if (!root || !known) return undefined;
    const without = await goneOf(recognised, { rows, blocks: known.blocks, named });
    return without && { root, without };
  }

  async read(files: readonly ScannedFile[]): Promise<void> {
    const { signal, clock = systemWorld.clock, denials = noDenials } = this.#options;
    const shared: Omit<FileTarget, 'sink'> = {
      slabs: this.#slabs,
      clock,
      signal,
      onBytes: (bytes) => this.#advance({ bytes, files: 0 }),
    };
    const targetFor = ({ path }: ScannedFile): FileTarget => ({
      ...shared,
      sink: (block) => {
        requireBlock(denials, block.hash, path);
        return this.#writer.add(block);
      },
    });
    for (const file of files) {
      if (!isSmall(file)) continue;
      const turn = this.#turns.next();
      if (turn) await turn;
      this.#build.read(file, await readSmallFile(file, targetFor(file)));
      this.#advance({ bytes: 0, files: 1 });
    }
    const large = files.filter((file) => !isSmall(file));
    await forEachOf(large, largeFilesAtOnce, async (file) => {
      this.#build.read(file, await readLargeFile(file, targetFor(file)));
      this.#advance({ bytes: 0, files: 1 });
    });
  }

  #advance({ bytes, files }: { readonly bytes: number; readonly files: number }): void {
    this.#bytes += bytes;
    this.#files += files;
    if (bytes + files === 0) return;
    this.#options.onProgress?.({
      phase: 'reading',
      bytes: this.#bytes,
      bytesTotal: this.#site.total.bytes,
      files: this.#files,
    });
  }

  /** All files are finished. Resolves when every block is safe. */
  async finish(): Promise<Link> {
    const root = await this.#build.root((block) => this.#writer.add(block));
    await this.#writer.finish();
    return root;
  }

  /** By which it is recognised the next time. */
  rows(): ReturnType<SiteBuild['rows']> {
    return this.#build.rows();
  }
}

function sumOf<T>(items: Iterable<T>, value: (item: T) => number): number {
  let sum = 0;
  for (const item of items) sum += value(item);
  return sum;
}

const pageBytes = 4096;
/** What the store writes about a block that is new, or that is here and gets another holding. */
const entryBytes = 256;
const nameBytes = 128;

/**
 * What is new takes on the disk, and naming the rest, about: the store counts exactly, and has the
 * last word.
 */
function roomFor({ folders, files, unread }: Recognised): number {
  const toWrite = sumOf(unread, ({ bytes }) => {
    if (bytes <= pageBytes) return Math.ceil(bytes * 1.5) + entryBytes;
    return Math.ceil(bytes / pageBytes) * pageBytes + blocksOf(bytes) * entryBytes;
  });
  const named = sumOf(folders.keys(), ({ total }) => total.blocks);
  return toWrite + nameBytes * (named + sumOf(files.keys(), ({ bytes }) => blocksOf(bytes)));
}
