/**
 * From files on disk to blocks in the store. Blocks are written while files are still being read;
 * nothing is announced here, so an import that fails leaves at most blocks that nobody refers to,
 * which the store drops in time.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { AltNetError } from '../base/errors.ts';
import { forEachOf } from '../base/parallel.ts';
import { BlockWriter } from './block-writer.ts';
import {
  type BlockSink,
  buildFolder,
  type BuiltFile,
  chunkBytes,
  FileBuilder,
  type NamedBuilt,
} from './build.ts';
import type { Holding } from './ports.ts';
import type { Link } from './root.ts';
import { readError, scan, type ScannedFile, type ScannedFolder } from './scan.ts';
import { Slabs } from './slabs.ts';
import { walkBlocksMax, walkDepthMax } from './walk.ts';

export interface Imported {
  /** Always a folder: a single file becomes a folder of one. */
  readonly root: Link;
  readonly files: number;
  /** Of the files' content. */
  readonly bytes: number;
  /** '' to open the folder itself, "/name" when it holds just one file that is not its index. */
  readonly entry: string;
}

export interface ImportOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?:
    | ((done: { bytes: number; bytesTotal: number; files: number }) => void)
    | undefined;
}

/** Files read at the same time, which hides the latency of opening many small ones. */
const filesAtOnce = 8;
/** Of one file: one call to the system for each MiB. */
const chunksAtOnce = 4;

/**
 * Imports the folder or file at `from`. Rejects with PATH_MISSING, PATH_UNREADABLE,
 * PATH_UNSUPPORTED, FOLDER_EMPTY, DISK_FULL or the signal's reason.
 */
export async function importPath(
  holding: Pick<Holding, 'putAll'>,
  from: string,
  { signal, onProgress }: ImportOptions = {},
): Promise<Imported> {
  const folder = await scan(from, signal);
  const files = listFiles(folder);
  const bytesTotal = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const slabs = new Slabs();
  const writer = new BlockWriter(holding, { slabs });
  let blockCount = 0;
  const sink: BlockSink = (block) => {
    if (++blockCount > walkBlocksMax) {
      const why = `it needs more than ${walkBlocksMax} blocks; publish it in parts`;
      throw new AltNetError('PATH_UNSUPPORTED', { path: from, why });
    }
    return writer.add(block);
  };
  const built = new Map<ScannedFile, BuiltFile>(); // BOUNDED by filesMax
  let bytes = 0;
  const onBytes = (count: number): void => {
    bytes += count;
    onProgress?.({ bytes, bytesTotal, files: built.size });
  };
  await forEachOf(files, filesAtOnce, async (file) => {
    built.set(file, await importFile(file, { sink, slabs, signal, onBytes }));
  });
  const root = await importFolder(folder, { built, sink });
  if (root.depth > walkDepthMax) {
    throw new AltNetError('PATH_UNSUPPORTED', { path: from, why: 'it is nested too deep' });
  }
  await writer.finish();
  signal?.throwIfAborted();
  const { codec, hash } = root;
  return { root: { codec, hash }, files: files.length, bytes, entry: entryOf(folder) };
}

function entryOf({ entries }: ScannedFolder): string {
  const [only] = entries;
  const lone = entries.length === 1 && only?.kind === 'file' && only.name !== 'index.html';
  return lone ? `/${only.name}` : '';
}

function listFiles(folder: ScannedFolder): ScannedFile[] {
  return folder.entries.flatMap((entry) => (entry.kind === 'file' ? [entry] : listFiles(entry)));
}

interface FileTarget {
  readonly sink: BlockSink;
  readonly slabs: Slabs;
  readonly signal: AbortSignal | undefined;
  readonly onBytes: (count: number) => void;
}

async function importFile(file: ScannedFile, target: FileTarget): Promise<BuiltFile> {
  const { path } = file;
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    throw readError(path, error);
  }
  try {
    const before = await handle.stat();
    const builder = new FileBuilder(target.sink);
    const bytes = await readInto(builder, { handle, path, expected: before.size, ...target });
    const after = await handle.stat();
    // What was read of a file that somebody writes to may be a state that never existed.
    if (after.mtimeMs !== before.mtimeMs || bytes !== after.size) {
      throw new AltNetError('PATH_UNREADABLE', { path, why: 'it changed while it was read' });
    }
    return await builder.finish();
  } finally {
    await handle.close();
  }
}

interface Reading extends FileTarget {
  readonly handle: FileHandle;
  readonly path: string;
  readonly expected: number;
}

/** The next chunks are read while the ones before are hashed. */
async function readInto(builder: FileBuilder, reading: Reading): Promise<number> {
  let position = 0;
  let next = readChunks(reading, position);
  try {
    for (;;) {
      const chunks = await next;
      reading.signal?.throwIfAborted();
      const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      if (length === 0) return position;
      position += length;
      next = readChunks(reading, position);
      for (const chunk of chunks) await builder.add(chunk);
      reading.onBytes(length);
    }
  } finally {
    await next.catch(() => undefined); // the file must not be closed under a read
  }
}

/**
 * Full chunks, except the last one of the file, so that chunks are cut at the same places always.
 * None at the end of the file.
 */
async function readChunks(
  { handle, path, expected, slabs }: Reading,
  position: number,
): Promise<readonly Uint8Array[]> {
  // One byte more than was there: a file that grew is noticed.
  const wanted = Math.min(chunksAtOnce * chunkBytes, Math.max(expected - position, 0) + 1);
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < wanted; at += chunkBytes) {
    chunks.push(slabs.take(Math.min(chunkBytes, wanted - at)));
  }
  let filled = 0;
  try {
    while (filled < wanted) {
      const rest = withoutFirst(chunks, filled);
      const { bytesRead } = await handle.readv(rest, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
  } catch (error) {
    throw readError(path, error);
  }
  return chunks.flatMap((chunk, i) => {
    const length = Math.min(chunk.length, Math.max(filled - i * chunkBytes, 0));
    return length > 0 ? [chunk.subarray(0, length)] : [];
  });
}

/** Views of what is still to be filled, `filled` bytes after the beginning. */
function withoutFirst(chunks: readonly Uint8Array[], filled: number): Uint8Array[] {
  return chunks.flatMap((chunk, i) => {
    const skip = Math.min(Math.max(filled - i * chunkBytes, 0), chunk.length);
    return skip < chunk.length ? [chunk.subarray(skip)] : [];
  });
}

async function importFolder(
  folder: ScannedFolder,
  target: { built: ReadonlyMap<ScannedFile, BuiltFile>; sink: BlockSink },
): Promise<NamedBuilt> {
  const entries: NamedBuilt[] = [];
  for (const entry of folder.entries) {
    if (entry.kind === 'folder') {
      entries.push(await importFolder(entry, target));
      continue;
    }
    const file = target.built.get(entry);
    if (file) entries.push({ ...file, name: entry.name });
  }
  return { ...(await buildFolder(entries, target.sink)), name: folder.name };
}
