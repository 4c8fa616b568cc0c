/**
 * What of a site is made, and what comes from it in the end: its root, and the rows by which it is
 * recognised the next time. It opens no file and knows no notes.
 */
import type { Bytes } from '../../base/bytes.ts';
import { type Denials, noDenials } from '../../base/denial.ts';
import { AltNetError } from '../../base/errors.ts';
import { type BlockSink, type Built, buildFolder, type NamedBuilt } from '../dag/build.ts';
import { requireBlock } from '../guarded-store.ts';
import { walkBlocksMax, walkDepthMax } from '../dag/walk.ts';
import type { Link } from '../dag/root.ts';
import { Turns } from '../turns.ts';
import { type KnownFolder, type KnownRows, noStamp, RowWriter } from './known-rows.ts';
import { BuiltFiles } from './built-files.ts';
import type { ReadFile } from './read-files.ts';
import type { Recognised } from './recognise.ts';
import type { ScannedFile, ScannedFolder } from './scanned.ts';
import { pathStampOf, stampOf } from './stamp.ts';

/** A folder that was made. */
interface MadeFolder {
  readonly built: Built;
  /** Hashes of its nodes besides the top one. */
  readonly shards: readonly Bytes[];
  /** Nodes of it and all folders in it. */
  readonly nodes: number;
}

export class SiteBuild {
  readonly #site: ScannedFolder;
  readonly #rows: KnownRows;
  readonly #turns: Turns;
  readonly #denials: Pick<Denials, 'ofBlock'>;
  readonly #files = new BuiltFiles();
  readonly #made = new Map<ScannedFolder, MadeFolder>(); // BOUNDED by the folders of a site
  #known: ReadonlyMap<ScannedFolder, KnownFolder> = new Map();

  constructor(
    site: ScannedFolder,
    {
      rows,
      signal,
      denials = noDenials,
    }: {
      readonly rows: KnownRows;
      readonly signal: AbortSignal | undefined;
      readonly denials?: Pick<Denials, 'ofBlock'> | undefined;
    },
  ) {
    this.#site = site;
    this.#rows = rows;
    this.#turns = new Turns(signal);
    this.#denials = denials;
    if (site.total.blocks > walkBlocksMax) throw this.#tooManyBlocks();
  }

  /** Of the files that are finished. */
  get done(): { readonly files: number; readonly bytes: number } {
    let { files, bytes } = this.#files.done;
    for (const { total } of this.#known.keys()) {
      files += total.files;
      bytes += total.bytes;
    }
    return { files, bytes };
  }

  recognised({ folders, files }: Recognised): void {
    this.#known = folders;
    for (const [file, built] of files) {
      this.#files.add(file, { built, says: file.says, settled: true });
    }
  }

  read(file: ScannedFile, result: ReadFile): void {
    this.#files.add(file, result);
  }

  /** All files are finished. Throws PATH_UNSUPPORTED, CONTENT_REVOKED or CONTENT_BLOCKED. */
  async root(write: BlockSink): Promise<Link> {
    let left = walkBlocksMax - this.#site.total.blocks;
    const count = (nodes: number): void => {
      left -= nodes;
      if (left < 0) throw this.#tooManyBlocks();
    };
    const sink: BlockSink = async (block) => {
      count(1);
      const turn = this.#turns.next();
      if (turn) await turn;
      return write(block);
    };
    const { codec, hash, depth } = (await this.#make(this.#site, { sink, count })).built;
    if (depth <= walkDepthMax) return { codec, hash };
    throw this.#unsupported('it is nested too deep');
  }

  async #make(
    folder: ScannedFolder,
    to: { readonly sink: BlockSink; readonly count: (nodes: number) => void },
  ): Promise<MadeFolder> {
    const known = this.#known.get(folder);
    if (known) {
      to.count(known.nodes);
      return { built: known.built, shards: [], nodes: known.nodes };
    }
    const entries: NamedBuilt[] = []; // BOUNDED by the entries of a folder
    let nodes = 0;
    for (const one of folder.folders) {
      const made = await this.#make(one, to);
      entries.push({ ...made.built, name: one.name });
      nodes += made.nodes;
    }
    for (const file of folder.files) {
      const built = this.#files.get(file)?.built;
      if (!built) continue;
      const { codec, hash, total, depth } = built;
      entries.push({ name: file.name, codec, hash, total, depth });
    }
    const hashes: Bytes[] = []; // BOUNDED by the shards of a folder
    const built = await buildFolder(entries, (block) => {
      requireBlock(this.#denials, block.hash, folder.path);
      hashes.push(block.hash);
      return to.sink(block);
    });
    // The top node is made last, of the others.
    const made = { built, shards: hashes.slice(0, -1), nodes: nodes + hashes.length };
    this.#made.set(folder, made);
    return made;
  }

  /** By which it is recognised the next time, once the root is made. */
  async rows(): Promise<Bytes> {
    const writer = new RowWriter();
    await this.#write(writer, this.#site);
    return writer.written;
  }

  /** Whether the folder can be recognised as a whole. */
  async #write(writer: RowWriter, folder: ScannedFolder): Promise<boolean> {
    const known = this.#known.get(folder);
    if (known) {
      writer.copy(this.#rows.copyOf(known));
      return true;
    }
    const made = this.#made.get(folder);
    if (!made) return false;
    const { built, shards, nodes } = made;
    const own = writer.folder({ pathStamp: pathStampOf(folder.path), shards }, built);
    let files = 0;
    let isSure = true;
    for (const file of folder.files) {
      const turn = this.#turns.next();
      if (turn) await turn;
      const result = this.#files.get(file);
      // It may have become another one between being listed and being read.
      isSure &&= result?.settled === true && result.says === file.says;
      if (!result) continue;
      const stamp = result.settled ? stampOf(file.path, result.says) : noStamp;
      writer.entry(stamp, result.built);
      files++;
    }
    for (const one of folder.folders) {
      const isOneSure = await this.#write(writer, one);
      isSure &&= isOneSure;
    }
    own.finish({ stamp: isSure ? folder.stamp : noStamp, files, nodes });
    return isSure;
  }

  /** One walk must be able to see them all, see walk.ts. */
  #tooManyBlocks(): AltNetError {
    return this.#unsupported(`it needs more than ${walkBlocksMax} blocks; publish it in parts`);
  }

  #unsupported(why: string): AltNetError {
    return new AltNetError('PATH_UNSUPPORTED', { path: this.#site.path, why });
  }
}
