/**
 * What a folder on disk holds, as far as it is published: regular files and folders, links followed
 * as long as they stay inside, nothing that an .altignore leaves out. Those are the only files that
 * it opens.
 */
import {
  type BigIntStats,
  type Dirent,
  lstatSync,
  readdirSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { utf8 } from '../../base/bytes.ts';
import { AltNetError, systemCode } from '../../base/errors.ts';
import { readStart } from './file-bytes.ts';
import { ignoreFileBytesMax, ignoreFileName, IgnoreRules } from './ignore-rules.ts';
import { FoundEntries } from './found-entries.ts';
import type { ScannedFolder } from './scanned.ts';
import { SaidOfFiles, saysOf } from './stamp.ts';
import { filesMax } from '../dag/measure.ts';
import { Turns } from '../turns.ts';

export const foldersDeepMax = 32;
const nameBytesMax = 255;

export interface ScanOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with each folder, those without files included, before it is listed. */
  readonly onFolder?: ((at: string) => void) | undefined;
  /**
   * Whether a folder below the top one is known by this path and stamp, so that its stamp and
   * totals will do: to keep what is said of ten thousand files takes longer than to ask.
   */
  readonly isKnown?: IsKnown | undefined;
}

type IsKnown = (at: string, stamp: string) => boolean;

interface Scan {
  /** No link may lead out of this. */
  readonly top: string;
  readonly turns: Turns;
  readonly onFolder: ((at: string) => void) | undefined;
  readonly isKnown: IsKnown;
  /** Of the files of those folders that are being listed, the innermost last. */
  readonly said: SaidOfFiles;
  files: number;
}

/** Asking for the time between any two takes as long as some of what is done with one. */
const entriesPerTurn = 8;
const exactly = { bigint: true } as const;
const never: IsKnown = () => false;

/**
 * The folder at `from`, or a folder that holds just the file at `from`. Names that begin with a dot
 * are left out, except `.well-known`. Rejects with PATH_MISSING, PATH_UNREADABLE, PATH_UNSUPPORTED
 * or FOLDER_EMPTY.
 */
export async function scan(
  from: string,
  { signal, onFolder, isKnown = never }: ScanOptions = {},
): Promise<ScannedFolder> {
  signal?.throwIfAborted();
  const stats = statOf(from);
  if (stats.isFile()) {
    const name = path.basename(path.resolve(from));
    requireSiteName(name, from);
    return folderOfOne(from, { name, stats });
  }
  if (!stats.isDirectory()) throw unsupported(from, 'it is neither a file nor a folder');
  const top = realpathSync(from);
  const turns = new Turns(signal);
  const state = { top, turns, onFolder, isKnown, said: new SaidOfFiles(), files: 0 };
  const folder = await scanFolder(state, {
    name: '',
    at: from,
    above: [top],
    rules: IgnoreRules.none,
  });
  if (state.files === 0) throw new AltNetError('FOLDER_EMPTY', { path: from });
  return folder;
}

function folderOfOne(
  from: string,
  { name, stats }: { readonly name: string; readonly stats: BigIntStats },
): ScannedFolder {
  const found = new FoundEntries(from, new SaidOfFiles());
  found.addFile(name, stats);
  const said = { bytes: Number(stats.size), says: saysOf(stats) };
  return { ...found.folder('', never), files: [{ kind: 'file', name, path: from, ...said }] };
}

interface Place {
  readonly name: string;
  readonly at: string;
  /** The real paths of the folders around it: one that comes again is a loop. */
  readonly above: readonly string[];
  /** Of the folders around it. */
  readonly rules: IgnoreRules;
}

async function scanFolder(state: Scan, { name, at, above, rules }: Place): Promise<ScannedFolder> {
  if (above.length > foldersDeepMax) {
    throw unsupported(at, `folders are nested more than ${foldersDeepMax} deep`);
  }
  state.onFolder?.(at);
  const listed = listFolder(at);
  const own = listed.some((entry) => entry.name === ignoreFileName);
  const inForce = own ? readRules(state.top, { at: path.join(at, ignoreFileName), rules }) : rules;
  const found = new FoundEntries(at, state.said);
  const prefix = path.join(at, path.sep);
  for (const [i, entry] of listed.entries()) {
    const turn = i % entriesPerTurn === 0 ? state.turns.next() : undefined;
    if (turn) await turn;
    if (entry.name.startsWith('.') && entry.name !== '.well-known') continue;
    const child = prefix + entry.name;
    requireSiteName(entry.name, child);
    if (!inForce.isEmpty && inForce.leavesOut(entry.name, isFolder(entry, child))) continue;
    const below = scanEntry(state, entry, { found, at: child, above, rules: inForce });
    // Waiting for each file would take as long as asking the system about it.
    if (below) found.addFolder(await below);
  }
  const isTop = above.length === 1;
  return found.folder(name, isTop ? never : state.isKnown);
}

/** Of a file, notes what is said of it; of a folder, gives back what is in it. */
function scanEntry(
  state: Scan,
  entry: Dirent,
  {
    found,
    at,
    above,
    rules,
  }: Pick<Place, 'at' | 'above' | 'rules'> & { readonly found: FoundEntries },
): Promise<ScannedFolder | undefined> | undefined {
  const { name } = entry;
  const real = entry.isSymbolicLink() ? resolveLink(state.top, at) : undefined;
  const stats = statOf(at);
  if (stats.isFile()) {
    state.files++;
    if (state.files > filesMax) throw unsupported(at, `there are more than ${filesMax} files`);
    found.addFile(name, stats);
    return undefined;
  }
  if (!stats.isDirectory()) throw unsupported(at, 'it is neither a file nor a folder');
  const here = real ?? path.join(above.at(-1) ?? '', name);
  if (above.includes(here)) throw unsupported(at, 'it is a link to a folder that holds it');
  return scanBelow(state, { name, at, above: [...above, here], rules: rules.below(name) });
}

/** Undefined for a folder without files, which a site cannot show. */
async function scanBelow(state: Scan, place: Place): Promise<ScannedFolder | undefined> {
  const folder = await scanFolder(state, place);
  return folder.total.files > 0 ? folder : undefined;
}

/** Whether a rule for folders applies: also to a link that leads to one, as that is followed. */
function isFolder(entry: Dirent, at: string): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  try {
    return statSync(at).isDirectory();
  } catch {
    return false;
  }
}

function readRules(top: string, { at, rules }: { at: string; rules: IgnoreRules }): IgnoreRules {
  let bytes: Uint8Array | undefined;
  if (lstatOf(at).isSymbolicLink()) resolveLink(top, at);
  try {
    bytes = readStart(at, ignoreFileBytesMax + 1);
  } catch (error) {
    throw readError(at, error);
  }
  if (!bytes) throw unsupported(at, 'it is not a file');
  const inForce = rules.with(bytes);
  if (inForce instanceof IgnoreRules) return inForce;
  throw unsupported(at, inForce.why);
}

function resolveLink(top: string, at: string): string {
  let real: string;
  try {
    real = realpathSync(at);
  } catch (error) {
    const why = systemCode(error) === 'ELOOP' ? 'it is a link to itself' : 'it is a broken link';
    throw new AltNetError('PATH_UNSUPPORTED', { path: at, why }, { cause: error });
  }
  const inside = real === top || real.startsWith(top.endsWith(path.sep) ? top : top + path.sep);
  if (!inside) throw unsupported(at, 'it is a link that leads out of the folder');
  return real;
}

function listFolder(at: string): Dirent[] {
  try {
    return readdirSync(at, { withFileTypes: true });
  } catch (error) {
    throw readError(at, error);
  }
}

function statOf(at: string): BigIntStats {
  try {
    return statSync(at, exactly);
  } catch (error) {
    throw readError(at, error);
  }
}

function lstatOf(at: string): Stats {
  try {
    return lstatSync(at);
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

/** Throws PATH_UNSUPPORTED for a name that no entry of a site can have. */
export function requireSiteName(name: string, at: string): void {
  if (name.length * 3 > nameBytesMax && utf8(name).length > nameBytesMax)
    throw unsupported(at, 'its name is too long');
  // What Node.js puts in the place of bytes that are not UTF-8.
  if (name.includes('\uFFFD')) throw unsupported(at, 'its name is not valid UTF-8');
}

function unsupported(at: string, why: string): AltNetError {
  return new AltNetError('PATH_UNSUPPORTED', { path: at, why });
}
