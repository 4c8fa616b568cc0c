/**
 * What of an archive has come so far, as folders and files, and in the end the site that they make:
 * archives have their entries in any order, so only then is it known what an .altignore leaves out.
 * Knows no bytes of files.
 */
import type { Bytes } from '../../base/bytes.ts';
import { AltNetError } from '../../base/errors.ts';
import { blocksOf, type BuiltFile } from '../dag/build.ts';
import { filesMax } from '../dag/measure.ts';
import { IgnoreRules } from '../import/ignore-rules.ts';
import type { ScannedFile, ScannedFolder } from '../import/scanned.ts';
import { type TarPlace, unsupported } from './tar-places.ts';

interface TreeFolder {
  readonly folders: Map<string, TreeFolder>; // BOUNDED by foldersMax together
  readonly files: Map<string, BuiltFile>; // BOUNDED by filesMax together
  ignoreFile?: Bytes;
}

export interface TarSite {
  readonly site: ScannedFolder;
  readonly built: ReadonlyMap<ScannedFile, BuiltFile>;
  /** Files of the archive that do not belong to the site. */
  readonly leftOut: number;
}

/** Of the .altignore files, which stay in memory till the end. */
const ignoreBytesMax = 1024 * 1024;
/** Without files in them they do not count as files. */
const foldersMax = filesMax;

export class TarTree {
  readonly #top: TreeFolder = newFolder();
  #files = 0;
  #folders = 0;
  #ignoreBytes = 0;

  /** Throws PATH_UNSUPPORTED. */
  addFolder(place: TarPlace): void {
    this.#folderAt(place);
  }

  /** Throws PATH_UNSUPPORTED, also for a path that something has already. */
  requireFree(place: TarPlace): void {
    const { folder, name } = this.#parentOf(place);
    const isTaken = folder.files.has(name) || folder.folders.has(name);
    if (isTaken) throw unsupported(place.join('/'), 'it is there twice');
    this.#files++;
    if (this.#files <= filesMax) return;
    throw unsupported(place.join('/'), `there are more than ${filesMax} files`);
  }

  addFile(place: TarPlace, file: BuiltFile): void {
    const { folder, name } = this.#parentOf(place);
    folder.files.set(name, file);
  }

  /** The content of an .altignore. Throws PATH_UNSUPPORTED. */
  addRules(place: TarPlace, bytes: Bytes): void {
    const { folder } = this.#parentOf(place);
    if (folder.ignoreFile) throw unsupported(place.join('/'), 'it is there twice');
    this.#ignoreBytes += bytes.length;
    if (this.#ignoreBytes > ignoreBytesMax) {
      throw unsupported(place.join('/'), `such files have more than ${ignoreBytesMax} bytes`);
    }
    folder.ignoreFile = bytes;
  }

  /** Throws PATH_UNSUPPORTED or FOLDER_EMPTY. */
  finish(): TarSite {
    const built = new Map<ScannedFile, BuiltFile>(); // BOUNDED by filesMax
    const site = siteFolder(this.#top, { name: '', path: '', rules: IgnoreRules.none, built });
    if (built.size === 0) throw new AltNetError('FOLDER_EMPTY', { path: 'the tar archive' });
    return { site, built, leftOut: this.#files - built.size };
  }

  #parentOf(place: TarPlace): { folder: TreeFolder; name: string } {
    return { folder: this.#folderAt(place.slice(0, -1)), name: place.at(-1) ?? '' };
  }

  #folderAt(place: TarPlace): TreeFolder {
    let at = this.#top;
    for (const name of place) {
      if (at.files.has(name)) throw unsupported(place.join('/'), 'it is there as a file too');
      let below = at.folders.get(name);
      if (!below) {
        this.#folders++;
        if (this.#folders > foldersMax) {
          throw unsupported(place.join('/'), `there are more than ${foldersMax} folders`);
        }
        below = newFolder();
        at.folders.set(name, below);
      }
      at = below;
    }
    return at;
  }
}

function newFolder(): TreeFolder {
  return { folders: new Map(), files: new Map() };
}

interface Finishing {
  readonly name: string;
  readonly path: string;
  /** Of the folders around it. */
  readonly rules: IgnoreRules;
  readonly built: Map<ScannedFile, BuiltFile>;
}

/** As `scan` would give it for the same folder on disk, as far as building needs that. */
function siteFolder(
  folder: TreeFolder,
  { name, path, rules: above, built }: Finishing,
): ScannedFolder {
  const rules = rulesIn(folder, path, above);
  const files: ScannedFile[] = []; // BOUNDED by filesMax
  const folders: ScannedFolder[] = []; // BOUNDED likewise: each has a file
  const total = { files: 0, bytes: 0, blocks: 0 };
  for (const [child, one] of folder.files) {
    if (rules.leavesOut(child, false)) continue;
    const file = { kind: 'file', name: child, path: '', bytes: one.size, says: '' } as const;
    files.push(file);
    built.set(file, one);
    total.files++;
    total.bytes += one.size;
    total.blocks += blocksOf(one.size);
  }
  for (const [child, one] of folder.folders) {
    if (rules.leavesOut(child, true)) continue;
    const at = path === '' ? child : `${path}/${child}`;
    const below = siteFolder(one, { name: child, path: at, rules: rules.below(child), built });
    if (below.total.files === 0) continue; // which a site cannot show
    folders.push(below);
    total.files += below.total.files;
    total.bytes += below.total.bytes;
    total.blocks += below.total.blocks;
  }
  return { kind: 'folder', name, path, files, folders, isKnown: false, stamp: '', total };
}

function rulesIn({ ignoreFile }: TreeFolder, path: string, above: IgnoreRules): IgnoreRules {
  if (!ignoreFile) return above;
  const rules = above.with(ignoreFile);
  if (rules instanceof IgnoreRules) return rules;
  throw unsupported(`${path === '' ? '' : `${path}/`}.altignore`, rules.why);
}
