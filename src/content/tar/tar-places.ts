/**
 * Where the entries of an archive belong in a site, by the rules by which a folder on disk is
 * published: what may not be there is refused, what a site leaves out is left out. Reads no bytes.
 */
import { AltNetError } from '../../base/errors.ts';
import { ignoreFileName } from '../import/ignore-rules.ts';
import { foldersDeepMax, requireSiteName } from '../import/scan.ts';
import type { TarEntry } from './read-tar.ts';

/** From the top folder down: ["a", "b.html"]. Empty for the top folder itself. */
export type TarPlace = readonly string[];

const pathLengthMax = 4096;

const fileTypes: ReadonlySet<string> = new Set(['File', 'OldFile', 'ContiguousFile']);
const refusedTypes: Readonly<Record<string, string>> = {
  SymbolicLink: 'it is a symbolic link; put what it leads to into the archive (tar -h)',
  Link: 'it is a hard link; put the file itself into the archive (tar --hard-dereference)',
  CharacterDevice: 'it is a device',
  BlockDevice: 'it is a device',
  FIFO: 'it is a pipe',
  SparseFile: 'it is a file with holes (sparse)',
};

/** Undefined for what a site leaves out. Throws PATH_UNSUPPORTED. */
export function placeOf({ path, type }: TarEntry): TarPlace | undefined {
  if (path.length > pathLengthMax) {
    throw unsupported(`${path.slice(0, 100)}…`, `its path is longer than ${pathLengthMax}`);
  }
  if (path.includes('\0')) throw unsupported(path, 'its path has a NUL character');
  if (path.startsWith('/') || /^[a-z]:[/\\]/i.test(path)) {
    throw unsupported(path, 'its path is absolute; publish what is in a folder (tar -C FOLDER .)');
  }
  const place = path.split('/').filter((part) => part !== '' && part !== '.');
  if (place.includes('..')) throw unsupported(path, 'its path leads out of the folder (..)');
  for (const name of place) requireSiteName(name, path);
  if (place.some((name) => name.startsWith('.') && !isShown(name))) return undefined;
  if (place.length + (isFolder(type) ? 1 : 0) > foldersDeepMax) {
    throw unsupported(path, `folders are nested more than ${foldersDeepMax} deep`);
  }
  if (isFolder(type)) return place;
  if (!fileTypes.has(type)) {
    throw unsupported(path, refusedTypes[type] ?? 'it is neither a file nor a folder');
  }
  if (place.length === 0) throw unsupported(path, 'a file has no name');
  return place;
}

export function isFolder(type: string): boolean {
  return type === 'Directory' || type === 'GNUDumpDir';
}

/** What begins with a dot is no content, but some of it is looked at. */
function isShown(name: string): boolean {
  return name === '.well-known' || name === ignoreFileName;
}

export function unsupported(path: string, why: string): AltNetError<'PATH_UNSUPPORTED'> {
  return new AltNetError('PATH_UNSUPPORTED', { path, why });
}
