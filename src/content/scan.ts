/**
 * What a folder on disk holds, as far as it is published: regular files and folders, links followed
 * as long as they stay inside. Opens no file.
 */
import type { Dirent, Stats } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { AltNetError, systemCode } from '../base/errors.ts';
import { utf8 } from '../base/bytes.ts';

export interface ScannedFile {
  readonly kind: 'file';
  readonly name: string;
  /** Where to read it. */
  readonly path: string;
  readonly bytes: number;
}

export interface ScannedFolder {
  readonly kind: 'folder';
  readonly name: string;
  readonly entries: readonly (ScannedFile | ScannedFolder)[];
}

/** With the nodes above them they must fit into one walk, see walkBlocksMax. */
export const filesMax = 200_000;
const foldersDeepMax = 32;
const nameBytesMax = 255;

interface Scan {
  /** No link may lead out of this. */
  readonly top: string;
  readonly signal: AbortSignal | undefined;
  files: number;
}

/**
 * The folder at `from`, or a folder that holds just the file at `from`. Names that begin with a dot
 * are left out, except `.well-known`. Rejects with PATH_MISSING, PATH_UNREADABLE, PATH_UNSUPPORTED
 * or FOLDER_EMPTY.
 */
export async function scan(from: string, signal?: AbortSignal): Promise<ScannedFolder> {
  const stats = await statOf(from);
  if (stats.isFile()) {
    const name = path.basename(path.resolve(from));
    checkName(name, from);
    const entries = [{ kind: 'file' as const, name, path: from, bytes: stats.size }];
    return { kind: 'folder', name: '', entries };
  }
  if (!stats.isDirectory()) throw unsupported(from, 'it is neither a file nor a folder');
  const top = await realpath(from);
  const state = { top, signal, files: 0 };
  const folder = await scanFolder(state, { name: '', at: from, above: [top] });
  if (state.files === 0) throw new AltNetError('FOLDER_EMPTY', { path: from });
  return folder;
}

interface Place {
  readonly name: string;
  readonly at: string;
  /** The real paths of the folders around it: one that comes again is a loop. */
  readonly above: readonly string[];
}

async function scanFolder(state: Scan, { name, at, above }: Place): Promise<ScannedFolder> {
  if (above.length > foldersDeepMax) {
    throw unsupported(at, `folders are nested more than ${foldersDeepMax} deep`);
  }
  const entries: (ScannedFile | ScannedFolder)[] = [];
  for (const entry of await listFolder(at)) {
    state.signal?.throwIfAborted();
    if (entry.name.startsWith('.') && entry.name !== '.well-known') continue;
    const child = path.join(at, entry.name);
    checkName(entry.name, child);
    const found = await scanEntry(state, { name: entry.name, at: child, above });
    if (found) entries.push(found);
  }
  return { kind: 'folder', name, entries };
}

/** Undefined for a folder without files, which a site cannot show. */
async function scanEntry(
  state: Scan,
  { name, at, above }: Place,
): Promise<ScannedFile | ScannedFolder | undefined> {
  const linked = (await describe(at, lstat)).isSymbolicLink();
  const real = linked ? await resolveLink(state.top, at) : undefined;
  const stats = await statOf(at);
  if (stats.isFile()) {
    state.files++;
    if (state.files > filesMax) throw unsupported(at, `there are more than ${filesMax} files`);
    return { kind: 'file', name, path: at, bytes: stats.size };
  }
  if (!stats.isDirectory()) throw unsupported(at, 'it is neither a file nor a folder');
  const here = real ?? path.join(above.at(-1) ?? '', name);
  if (above.includes(here)) throw unsupported(at, 'it is a link to a folder that holds it');
  const folder = await scanFolder(state, { name, at, above: [...above, here] });
  return folder.entries.length > 0 ? folder : undefined;
}

async function resolveLink(top: string, at: string): Promise<string> {
  let real: string;
  try {
    real = await realpath(at);
  } catch (error) {
    const why = systemCode(error) === 'ELOOP' ? 'it is a link to itself' : 'it is a broken link';
    throw new AltNetError('PATH_UNSUPPORTED', { path: at, why }, { cause: error });
  }
  const inside = real === top || real.startsWith(top.endsWith(path.sep) ? top : top + path.sep);
  if (!inside) throw unsupported(at, 'it is a link that leads out of the folder');
  return real;
}

async function listFolder(at: string): Promise<Dirent[]> {
  try {
    return await readdir(at, { withFileTypes: true });
  } catch (error) {
    throw readError(at, error);
  }
}

function statOf(at: string): Promise<Stats> {
  return describe(at, stat);
}

async function describe(at: string, how: (at: string) => Promise<Stats>): Promise<Stats> {
  try {
    return await how(at);
  } catch (error) {
    throw readError(at, error);
  }
}

/** PATH_MISSING or PATH_UNREADABLE. */
export function readError(at: string, error: unknown): AltNetError {
  const code = systemCode(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new AltNetError('PATH_MISSING', { path: at }, { cause: error });
  }
  if (code === 'ELOOP') return unsupported(at, 'it is a link to itself');
  const why = code === 'EACCES' || code === 'EPERM' ? 'permission denied' : (code ?? 'read error');
  return new AltNetError('PATH_UNREADABLE', { path: at, why }, { cause: error });
}

function checkName(name: string, at: string): void {
  if (utf8(name).length > nameBytesMax) throw unsupported(at, 'its name is too long');
  // What Node.js puts in the place of bytes that are not UTF-8.
  if (name.includes('\uFFFD')) throw unsupported(at, 'its name is not valid UTF-8');
}

function unsupported(at: string, why: string): AltNetError {
  return new AltNetError('PATH_UNSUPPORTED', { path: at, why });
}
