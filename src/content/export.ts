/**
 * From blocks in the store to a folder on disk. Names come from strangers: none may lead out of the
 * folder, meet another one, or mean something special to the system. Everything is written beside
 * the destination and moved there at the end, so that a failure leaves nothing behind.
 */
import { mkdir, open, readdir, rename, rm, rmdir, statfs } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { type Bytes, equalBytes, toHex } from '../base/bytes.ts';
import { AltNetError, isAltNetError, systemCode } from '../base/errors.ts';
import { makeFolders } from '../base/folders.ts';
import { sha256 } from '../base/hash.ts';
import { NewFiles } from '../base/new-files.ts';
import { forEachOf } from '../base/parallel.ts';
import { readFile } from './dag/file.ts';
import { listFolder, readNode } from './dag/folder.ts';
import { filesMax, measure } from './dag/measure.ts';
import { draftOf, removeOldDrafts } from './export-drafts.ts';
import type { Blocks } from './ports.ts';
import type { Link } from './dag/root.ts';
import { Turns } from './turns.ts';
import type { FolderEntry } from './dag/unixfs.ts';
import { walkDepthMax } from './dag/walk.ts';

/** What was written so far. */
export interface Exported {
  readonly files: number;
  readonly bytes: number;
}

export interface ExportOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: Exported) => void) | undefined;
  /** Told the path on the site of each file and folder; what it throws ends the export. */
  readonly check?: ((path: string) => void) | undefined;
  /** Brings what is missing, once a block was forgotten that the disk had changed. */
  readonly mend?: (() => Promise<unknown>) | undefined;
}

/** Files that are written at the same time, where the disk has to be waited for. */
const filesAtOnce = 16;
/** Files that are listed before they are written: a site may have more than fit in memory. */
const filesPendingMax = 1024;

interface PendingFile {
  readonly entry: FolderEntry;
  readonly at: string;
}

interface Export extends ExportOptions {
  readonly blocks: Blocks;
  readonly rootHex: string;
  readonly turns: Turns;
  readonly newFiles: NewFiles;
  /** BOUNDED by filesPendingMax, see writeTree(). */
  readonly pending: PendingFile[];
  files: number;
  bytes: number;
}

/**
 * Writes the site under `root`, which must be here, as the folder `dest`. A root that is a file
 * becomes the one file `dest`. Rejects with PATH_UNSUPPORTED (something is in the way, or a name
 * cannot be written here), PATH_MISSING (no parent folder), DISK_FULL, CONTENT_BAD …
 */
export async function exportSite(
  blocks: Blocks,
  root: Link,
  dest: string,
  options: ExportOptions = {},
): Promise<Exported> {
  const target = path.resolve(dest);
  await requireFree(target);
  const total = await measure(blocks, root);
  const state: Export = {
    ...options,
    blocks,
    rootHex: toHex(root.hash),
    turns: new Turns(options.signal),
    newFiles: new NewFiles({ flags: 'wx', mode: 0o666 }),
    pending: [],
    files: 0,
    bytes: 0,
  };
  // An honest site has no folder without files below it; a trap of nothing else costs no bytes.
  if (Math.max(total.files, total.folders) > filesMax) {
    throw contentBad(state, `it has more than ${filesMax} files or folders`);
  }
  await makeFolders(path.dirname(target)).catch((error: unknown) => {
    throw writeError(path.dirname(target), error);
  });
  await requireSpace(path.dirname(target), total.bytes);
  await removeOldDrafts(target);
  const draft = draftOf(target);
  try {
    await writeTree(state, {
      entry: { ...root, name: '', size: 0 },
      at: draft,
      path: '',
      depth: 1,
    });
    await writePending(state);
    await rmdir(target).catch(() => undefined); // an empty folder may be replaced
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error instanceof AltNetError ? error : writeError(target, error);
  }
  return { files: state.files, bytes: state.bytes };
}

async function requireFree(target: string): Promise<void> {
  const why = await readdir(target).then(
    (names) =>
      names.length === 0
        ? undefined
        : 'there is a folder that is not empty; name one that is not there yet',
    (error: unknown) => (systemCode(error) === 'ENOENT' ? undefined : 'there is a file in the way'),
  );
  if (why !== undefined) throw new AltNetError('PATH_UNSUPPORTED', { path: target, why });
}

async function requireSpace(folder: string, bytes: number): Promise<void> {
  const { blocks, bavail, bsize } = await statfs(folder);
  if (blocks === 0) {
    const why = 'that is no place for files'; // such as /proc
    throw new AltNetError('PATH_UNSUPPORTED', { path: folder, why });
  }
  if (bytes > bavail * bsize) throw new AltNetError('DISK_FULL', { folder });
}

interface Job {
  readonly entry: FolderEntry;
  readonly at: string;
  /** On the site. */
  readonly path: string;
  readonly depth: number;
}

/** Makes the folders, and leaves the files for later, until there are many. */
async function writeTree(state: Export, { entry, at, path: sitePath, depth }: Job): Promise<void> {
  await state.turns.next();
  if (depth > walkDepthMax) throw contentBad(state, 'it is nested too deep');
  const node = readNode(state.blocks, entry);
  if (node.kind === 'file') {
    state.pending.push({ entry: { ...entry, size: node.size }, at });
    return;
  }
  await onDisk(state, at, () => mkdir(at));
  const entries = listFolder(state.blocks, node, filesMax);
  checkNames(state, entries);
  for (const child of entries) {
    const childPath = sitePath === '' ? child.name : `${sitePath}/${child.name}`;
    state.check?.(childPath);
    const below = at + path.sep + child.name; // checked above: it is the name of one entry
    if (child.codec === 'raw') state.pending.push({ entry: child, at: below });
    else await writeTree(state, { entry: child, at: below, path: childPath, depth: depth + 1 });
    if (state.pending.length >= filesPendingMax) await writePending(state);
  }
}

function writePending(state: Export): Promise<void> {
  return forEachOf(state.pending.splice(0), filesAtOnce, (file) => writeFile(state, file));
}

function writeFile(state: Export, file: PendingFile): Promise<void> {
  const isLeaf = file.entry.codec === 'raw';
  return onDisk(state, file.at, () => (isLeaf ? writeLeaf(state, file) : writeParts(state, file)));
}

/** A file of one block, as most are. It is as long as it is, whatever its folder says. */
async function writeLeaf(state: Export, { entry, at }: PendingFile): Promise<void> {
  const found = blockOf(state, entry);
  const bytes = found instanceof Promise ? await found : found;
  await state.newFiles.make({ name: at, parts: [bytes] });
  state.files++;
  report(state, bytes.length);
}

async function writeParts(state: Export, { entry, at }: PendingFile): Promise<void> {
  await using file = await open(at, 'wx');
  const block = (link: Link): Bytes | Promise<Bytes> => blockOf(state, link);
  for await (const piece of readFile(entry, { from: 0, to: entry.size }, block)) {
    state.signal?.throwIfAborted();
    for (let done = 0; done < piece.length;) {
      done += (await file.write(piece, done)).bytesWritten;
    }
    report(state, piece.length);
  }
  state.files++;
}

function blockOf(state: Export, { hash }: Link): Bytes | Promise<Bytes> {
  const bytes = state.blocks.get(hash);
  if (!bytes) throw unavailable(state, 'a block is missing');
  return equalBytes(sha256(bytes), hash) ? bytes : mended(state, hash);
}

/** What a disk has changed is forgotten, so that it can be had from others. */
async function mended(state: Export, hash: Bytes): Promise<Bytes> {
  await state.blocks.forget?.(hash);
  try {
    await state.mend?.();
  } catch (error) {
    if (!isAltNetError(error, 'NO_PROVIDERS')) throw error;
  }
  const bytes = state.blocks.get(hash);
  if (bytes && equalBytes(sha256(bytes), hash)) return bytes;
  const why = 'a block is damaged on the disk of this node, and no other node has it';
  throw unavailable(state, why);
}

function unavailable({ rootHex }: Export, why: string): AltNetError {
  return new AltNetError('CONTENT_UNAVAILABLE', { root: rootHex, why });
}

/** What the system says is told in the program's own words. */
async function onDisk(state: Export, at: string, work: () => Promise<void>): Promise<void> {
  state.signal?.throwIfAborted();
  try {
    await work();
  } catch (error) {
    throw error instanceof AltNetError || state.signal?.aborted ? error : writeError(at, error);
  }
}

function report(state: Export, bytes: number): void {
  state.bytes += bytes;
  state.onProgress?.({ files: state.files, bytes: state.bytes });
}

/** Names that this system folds together count as equal, or one file would replace another. */
function checkNames(state: Export, entries: readonly FolderEntry[]): void {
  const seen = new Set<string>(); // BOUNDED by filesMax
  for (const { name } of entries) {
    const why = nameProblem(name, process.platform);
    if (why !== undefined) {
      const shown = JSON.stringify(name.slice(0, 80));
      throw new AltNetError('PATH_UNSUPPORTED', {
        path: `the name ${shown} in ${state.rootHex}`,
        why,
      });
    }
    const folded = foldsCase.has(process.platform) ? name.normalize('NFC').toLowerCase() : name;
    if (seen.has(folded)) throw contentBad(state, 'a folder has two entries of the same name');
    seen.add(folded);
  }
}

const foldsCase: ReadonlySet<string> = new Set(['win32', 'darwin']);
const windowsReserved = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/i;

/** Why a name cannot be a file here; undefined when it can. */
export function nameProblem(name: string, platform: NodeJS.Platform): string | undefined {
  if (name === '' || name === '.' || name === '..') return 'it is not the name of an entry';
  if (name.includes('/') || name.includes('\0')) return 'it has a character that no name may have';
  if (Buffer.byteLength(name) > 255) return 'it is longer than 255 bytes';
  if (platform !== 'win32') return undefined;
  // oxlint-disable-next-line no-control-regex -- Windows refuses control characters in names.
  if (/[<>:"\\|?*\u0000-\u001f]/.test(name) || /[ .]$/.test(name)) return 'Windows cannot write it';
  return windowsReserved.test(name) ? 'it is reserved by Windows' : undefined;
}

function contentBad({ rootHex }: Export, why: string): AltNetError {
  return new AltNetError('CONTENT_BAD', { root: rootHex, why });
}

function writeError(at: string, error: unknown): AltNetError {
  const code = systemCode(error);
  const cause = { cause: error };
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new AltNetError('DISK_FULL', { folder: path.dirname(at) }, cause);
  }
  const why = code === 'EACCES' || code === 'EPERM' ? 'permission denied' : (code ?? String(error));
  return new AltNetError('PATH_UNSUPPORTED', { path: at, why }, cause);
}
