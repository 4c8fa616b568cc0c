/**
 * Files on disk as parts of a DAG: read, cut and hashed, small ones on the spot, large ones some
 * chunks ahead of the hashing. It knows nothing of folders.
 */
import type { BigIntStats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { AltNetError } from '../../base/errors.ts';
import type { Clock } from '../../base/clock.ts';
import { type BlockSink, type BuiltFile, chunkBytes, FileBuilder } from '../dag/build.ts';
import { readFileInto, readFlags } from './file-bytes.ts';
import { readError } from './scan.ts';
import type { ScannedFile } from './scanned.ts';
import type { Slabs } from '../slabs.ts';
import { isSettled, saysOf } from './stamp.ts';

/** Of one file: one call to the system for each MiB. */
const chunksAtOnce = 4;

export interface FileTarget {
  readonly sink: BlockSink;
  readonly slabs: Slabs;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
  readonly onBytes: (count: number) => void;
}

export interface ReadFile {
  readonly built: BuiltFile;
  /** What the system said of it then. */
  readonly says: string;
  /** A file of which it says so has this content. */
  readonly settled: boolean;
}

/** Whether `readSmallFile` will do. */
export function isSmall({ bytes }: ScannedFile): boolean {
  return bytes <= chunkBytes;
}

/**
 * A file of one chunk, in one go. Falls back to `readLargeFile` when the file is not as it was seen
 * before. Rejects with PATH_MISSING, PATH_UNREADABLE or PATH_UNSUPPORTED.
 */
export async function readSmallFile(file: ScannedFile, target: FileTarget): Promise<ReadFile> {
  const { path, bytes, says } = file;
  const readMs = target.clock.unixMs();
  const into = target.slabs.takePiece(bytes + 1); // one byte more than was there: growth is noticed
  const read = readNow(path, into);
  if (read.length !== bytes || saysOf(read.stats) !== says) {
    target.slabs.give(into);
    return readLargeFile(file, target);
  }
  const builder = new FileBuilder(target.sink);
  if (bytes > 0) await builder.add(into.subarray(0, bytes));
  else target.slabs.give(into);
  const built = await builder.finish();
  target.onBytes(bytes);
  return { built, says, settled: isSettled(read.stats, readMs) };
}

function readNow(path: string, into: Uint8Array): { length: number; stats: BigIntStats } {
  let read: { length: number; stats: BigIntStats } | undefined;
  try {
    read = readFileInto(path, into);
  } catch (error) {
    throw readError(path, error);
  }
  if (read) return read;
  throw new AltNetError('PATH_UNSUPPORTED', { path, why: 'it is neither a file nor a folder' });
}

/** A file of any size. Rejects like `readSmallFile`. */
export async function readLargeFile(file: ScannedFile, target: FileTarget): Promise<ReadFile> {
  const { path } = file;
  const readMs = target.clock.unixMs();
  let handle: FileHandle;
  try {
    handle = await open(path, readFlags);
  } catch (error) {
    throw readError(path, error);
  }
  try {
    const before = await handle.stat({ bigint: true });
    const builder = new FileBuilder(target.sink);
    const expected = Number(before.size);
    const bytes = await readInto(builder, { handle, path, expected, ...target });
    const after = await handle.stat({ bigint: true });
    const says = saysOf(after);
    // What was read of a file that somebody writes to may be a state that never existed.
    if (says !== saysOf(before) || bytes !== expected) {
      throw new AltNetError('PATH_UNREADABLE', { path, why: 'it changed while it was read' });
    }
    return { built: await builder.finish(), says, settled: isSettled(after, readMs) };
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
