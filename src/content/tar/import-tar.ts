/**
 * From a tar archive as it arrives to blocks in the store, without a copy on disk: the root is that
 * of the same files published as a folder. Like any import that fails it leaves at most blocks that
 * nobody refers to.
 */
import type { Bytes } from '../../base/bytes.ts';
import { type Denials, noDenials } from '../../base/denial.ts';
import { AltNetError } from '../../base/errors.ts';
import { BlockWriter } from '../block-writer.ts';
import { chunkBytes, FileBuilder } from '../dag/build.ts';
import { ignoreFileBytesMax, ignoreFileName } from '../import/ignore-rules.ts';
import { entryOf, type Imported, type ImportProgress } from '../import/import.ts';
import { unknownSite } from '../import/import-memory.ts';
import { SiteBuild } from '../import/site-build.ts';
import { requireBlock } from '../guarded-store.ts';
import type { Block, Holding } from '../ports.ts';
import { Slabs } from '../slabs.ts';
import { badTar, readTar, type TarEntry } from './read-tar.ts';
import { isFolder, placeOf, type TarPlace, unsupported } from './tar-places.ts';
import { TarTree } from './tar-tree.ts';

export type TarProgress = Omit<ImportProgress, 'bytesTotal'>;

export interface TarImportOptions {
  /** What the store holds at most: a site that says it is larger is refused at once. */
  readonly bytesMax: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: TarProgress) => void) | undefined;
  /** What is not taken, as with `importPath`. */
  readonly denials?: Pick<Denials, 'ofBlock'> | undefined;
}

export interface TarImported extends Imported {
  /** Files that were written as blocks, too, and that an .altignore leaves out of the site. */
  readonly leftOut: number;
}

/**
 * Rejects with BAD_ARGUMENT (no whole archive), PATH_UNSUPPORTED, FOLDER_EMPTY, DISK_FULL,
 * STORE_FULL, the signal's reason or what `body` rejects with.
 */
export async function importTar(
  holding: Pick<Holding, 'putAll'>,
  body: AsyncIterable<Bytes>,
  options: TarImportOptions,
): Promise<TarImported> {
  const work = new TarImport(holding, options);
  for await (const step of readTar(body)) {
    options.signal?.throwIfAborted();
    if (step.kind === 'entry') work.begin(step.entry);
    else if (step.kind === 'piece') await work.add(step.bytes);
    else await work.end();
  }
  return work.finish();
}

/** Takes the bytes of one entry. */
interface EntryTarget {
  add(bytes: Bytes): Promise<void> | void;
  /** All of them were there. */
  end(): Promise<void> | void;
}

/** For folders, and for what a site leaves out. */
const nowhere: EntryTarget = { add: () => undefined, end: () => undefined };

class TarImport {
  readonly #options: TarImportOptions;
  readonly #tree = new TarTree();
  readonly #slabs = new Slabs();
  readonly #writer: BlockWriter;
  #target: EntryTarget = nowhere;
  #bytesSaid = 0;
  #bytes = 0;
  #files = 0;

  constructor(holding: Pick<Holding, 'putAll'>, options: TarImportOptions) {
    this.#options = options;
    this.#writer = new BlockWriter(holding, { slabs: this.#slabs });
  }

  /** Throws PATH_UNSUPPORTED or STORE_FULL. */
  begin(entry: TarEntry): void {
    const place = placeOf(entry);
    if (place === undefined) this.#target = nowhere;
    else if (isFolder(entry.type)) this.#beginFolder(place);
    else if (place.at(-1) === ignoreFileName) this.#target = this.#rulesTarget(place, entry);
    else if (place.includes(ignoreFileName)) this.#target = nowhere;
    else this.#target = this.#fileTarget(place, entry);
  }

  async add(bytes: Bytes): Promise<void> {
    await this.#target.add(bytes);
  }

  async end(): Promise<void> {
    await this.#target.end();
    this.#target = nowhere;
  }

  /** Resolves when every block is safe. */
  async finish(): Promise<TarImported> {
    const { signal, denials } = this.#options;
    const { site, built, leftOut } = this.#tree.finish();
    const build = new SiteBuild(site, { rows: unknownSite.rows, signal, denials });
    for (const [file, one] of built) build.read(file, { built: one, says: '', settled: false });
    const root = await build.root((block) => this.#writer.add(block));
    await this.#writer.finish();
    signal?.throwIfAborted();
    return { root, ...build.done, entry: entryOf(site), leftOut };
  }

  #beginFolder(place: TarPlace): void {
    this.#target = nowhere;
    if (!place.includes(ignoreFileName)) this.#tree.addFolder(place);
  }

  #rulesTarget(place: TarPlace, { path, bytes }: TarEntry): EntryTarget {
    if (bytes > ignoreFileBytesMax) {
      throw unsupported(path, `it has more than ${ignoreFileBytesMax} bytes`);
    }
    const pieces: Bytes[] = []; // BOUNDED by ignoreFileBytesMax
    return {
      add: (piece) => void pieces.push(piece),
      end: () => this.#tree.addRules(place, Buffer.concat(pieces)),
    };
  }

  #fileTarget(place: TarPlace, { bytes: size }: TarEntry): EntryTarget {
    const { bytesMax } = this.#options;
    this.#bytesSaid += size;
    if (this.#bytesSaid > bytesMax) {
      throw new AltNetError('STORE_FULL', { bytes: this.#bytesSaid, bytesMax });
    }
    this.#tree.requireFree(place);
    const chunks = new Chunks(size, {
      slabs: this.#slabs,
      builder: new FileBuilder((block) => this.#write(block, place)),
    });
    return {
      add: async (piece) => {
        await chunks.add(piece);
        this.#advance(piece.length, 0);
      },
      end: async () => {
        this.#tree.addFile(place, await chunks.finish());
        this.#advance(0, 1);
      },
    };
  }

  #write(block: Block, place: TarPlace): Promise<void> | undefined {
    const { denials = noDenials } = this.#options;
    requireBlock(denials, block.hash, place.join('/'));
    return this.#writer.add(block);
  }

  #advance(bytes: number, files: number): void {
    this.#bytes += bytes;
    this.#files += files;
    this.#options.onProgress?.({ phase: 'reading', bytes: this.#bytes, files: this.#files });
  }
}

/** Pieces of a file of known size, cut anew where chunks are cut always. */
class Chunks {
  readonly #builder: FileBuilder;
  readonly #slabs: Slabs;
  #left: number;
  #chunk: Bytes | undefined;
  #filled = 0;

  constructor(size: number, to: { readonly builder: FileBuilder; readonly slabs: Slabs }) {
    this.#left = size;
    this.#builder = to.builder;
    this.#slabs = to.slabs;
  }

  async add(piece: Bytes): Promise<void> {
    for (let from = 0; from < piece.length;) {
      this.#chunk ??= this.#slabs.takePiece(Math.min(chunkBytes, this.#left));
      const part = piece.subarray(from, from + this.#chunk.length - this.#filled);
      this.#chunk.set(part, this.#filled);
      this.#filled += part.length;
      from += part.length;
      if (this.#filled === this.#chunk.length) await this.#next(this.#chunk);
    }
  }

  async #next(chunk: Bytes): Promise<void> {
    this.#left -= chunk.length;
    this.#chunk = undefined;
    this.#filled = 0;
    await this.#builder.add(chunk);
  }

  /** Throws BAD_ARGUMENT when there were fewer bytes than the archive said. */
  async finish(): ReturnType<FileBuilder['finish']> {
    if (this.#left > 0) throw badTar('it is cut off');
    return this.#builder.finish();
  }
}
