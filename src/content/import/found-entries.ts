/**
 * What is found in one folder, until it is known whether anything of it is needed: of a folder in
 * which nothing changed, nothing is. It asks the system nothing.
 */
import type { BigIntStats } from 'node:fs';
import path from 'node:path';
import { blocksOf } from '../dag/build.ts';
import type { ScannedFile, ScannedFolder } from './scanned.ts';
import { FolderStamp, type SaidOfFiles } from './stamp.ts';

export class FoundEntries {
  readonly #at: string;
  readonly #said: SaidOfFiles;
  /** Where those of this folder begin. */
  readonly #first: number;
  readonly #stamp: FolderStamp;
  readonly #names: string[] = []; // BOUNDED by filesMax
  readonly #folders: ScannedFolder[] = []; // BOUNDED likewise: each has a file
  readonly #total: { files: number; bytes: number; blocks: number } = {
    files: 0,
    bytes: 0,
    blocks: 0,
  };

  /** `said`: of the files of the folders around this one; what is added goes when it is done. */
  constructor(at: string, said: SaidOfFiles) {
    this.#at = at;
    this.#said = said;
    this.#first = said.count;
    this.#stamp = new FolderStamp(at);
  }

  addFile(name: string, stats: BigIntStats): void {
    const bytes = Number(stats.size);
    this.#said.add(stats);
    this.#stamp.addFile(name);
    this.#names.push(name);
    this.#total.files++;
    this.#total.bytes += bytes;
    this.#total.blocks += blocksOf(bytes);
  }

  /** One without files is none: a site cannot show it. */
  addFolder(folder: ScannedFolder | undefined): void {
    if (!folder) return;
    const { files, bytes, blocks } = folder.total;
    this.#stamp.addFolder(folder.name, folder.stamp);
    this.#folders.push(folder);
    this.#total.files += files;
    this.#total.bytes += bytes;
    this.#total.blocks += blocks;
  }

  /** Once, when all is found. */
  folder(name: string, isKnown: (at: string, stamp: string) => boolean): ScannedFolder {
    const stamp = this.#stamp.finish(this.#said.hashFrom(this.#first));
    const common = { kind: 'folder', name, path: this.#at, stamp, total: this.#total } as const;
    const known = isKnown(this.#at, stamp);
    const files = known ? [] : this.#files();
    this.#said.dropFrom(this.#first);
    return { ...common, files, folders: known ? [] : this.#folders, isKnown: known };
  }

  #files(): ScannedFile[] {
    const prefix = path.join(this.#at, path.sep);
    return this.#names.map((name, i) => {
      const place = this.#first + i;
      const said = { bytes: this.#said.bytesOf(place), says: this.#said.saysOf(place) };
      return new SeenFile(prefix, name, said);
    });
  }
}

/** A class, so that of 100,000 files not each has a path in memory. */
class SeenFile implements ScannedFile {
  readonly kind = 'file';
  readonly name: string;
  readonly bytes: number;
  readonly says: string;
  readonly #prefix: string;

  /** `prefix`: what comes before the name in its path. */
  constructor(prefix: string, name: string, { bytes, says }: { bytes: number; says: string }) {
    this.#prefix = prefix;
    this.name = name;
    this.bytes = bytes;
    this.says = says;
  }

  get path(): string {
    return this.#prefix + this.name;
  }
}
