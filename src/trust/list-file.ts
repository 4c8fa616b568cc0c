/**
 * Reading a list's file: in pieces, so that the node does other things in between, and never more
 * of it than there was when it was opened. What "unreadable" means is decided here, for all lists.
 */
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, lstat, open, stat } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { formatBytes } from '../base/byte-count.ts';
import type { Bytes } from '../base/bytes.ts';
import { AltNetError, isAltNetError, systemCode } from '../base/errors.ts';
import { LineCutter, type ListLine } from './list-line.ts';

/** The same as long as the file is the same; undefined: there is none. */
export type FileStamp = string | undefined;

export async function stampOf(file: string): Promise<FileStamp> {
  try {
    return stampFrom(await stat(file, { bigint: true }));
  } catch (error) {
    return requireMissing(file, error);
  }
}

/**
 * Undefined for a file that is not there. Rejects with LIST_UNREADABLE for a symbolic link that
 * leads nowhere: who has a list on another drive wants it to count when that is not mounted.
 */
async function requireMissing(file: string, error: unknown): Promise<undefined> {
  if (systemCode(error) !== 'ENOENT') throw unreadable(file, error);
  const link = await lstat(file).catch(() => undefined);
  if (link?.isSymbolicLink()) throw unreadable(file, 'it is a symbolic link that leads nowhere');
  return undefined;
}

function stampFrom({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}

export interface OpenList {
  readonly handle: FileHandle;
  readonly stamp: string;
  readonly bytes: number;
}

/**
 * Undefined when there is no such file. Rejects with LIST_UNREADABLE for what cannot be opened, is
 * no file (a pipe would keep its reader waiting) or is larger than `bytesMax`.
 */
export async function openList(file: string, bytesMax: number): Promise<OpenList | undefined> {
  try {
    requireFile(file, await stat(file)); // opening a device may do something
    const handle = await open(file, openFlags);
    try {
      const seen = await handle.stat({ bigint: true });
      requireFile(file, seen); // it may have become another one since
      const bytes = Number(seen.size);
      if (bytes > bytesMax) throw unreadable(file, `it has more than ${formatBytes(bytesMax)}`);
      return { handle, stamp: stampFrom(seen), bytes };
    } catch (error) {
      await handle.close();
      throw error;
    }
  } catch (error) {
    return requireMissing(file, error);
  }
}

/** A pipe without a writer would hold a thread up for ever. Windows has neither. */
const openFlags: number = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

function requireFile(file: string, info: { isFile(): boolean; isDirectory(): boolean }): void {
  if (!info.isFile()) throw unreadable(file, info.isDirectory() ? 'EISDIR' : 'it is no file');
}

const pieceBytes = 64 * 1024;
/** A turn of the event loop is asked for after so long; more than a piece of common lines takes. */
const sliceMsMax = 8;
const linesPerLook = 64;

/** Every line in order. The one that is handed over is good until the next. */
export async function readLines(
  { handle, bytes }: OpenList,
  { lineBytesMax, signal }: { lineBytesMax: number; signal?: AbortSignal | undefined },
  take: (line: ListLine) => 'more' | 'enough',
): Promise<void> {
  const cutter = new LineCutter(lineBytesMax);
  const piece = new Uint8Array(pieceBytes);
  let position = 0;
  while (position < bytes) {
    signal?.throwIfAborted();
    const length = Math.min(pieceBytes, bytes - position);
    const { bytesRead } = await handle.read(piece, 0, length, position);
    if (bytesRead === 0) break; // it became shorter
    position += bytesRead;
    if ((await takeAll(cutter.cut(piece.subarray(0, bytesRead)), take)) === 'enough') return;
  }
  await takeAll(cutter.end(), take);
}

async function takeAll(
  lines: Iterable<ListLine>,
  take: (line: ListLine) => 'more' | 'enough',
): Promise<'more' | 'enough'> {
  let sliceEndMs = performance.now() + sliceMsMax;
  let taken = 0;
  for (const line of lines) {
    if (take(line) === 'enough') return 'enough';
    if (++taken % linesPerLook !== 0 || performance.now() < sliceEndMs) continue;
    await nextTurn();
    sliceEndMs = performance.now() + sliceMsMax;
  }
  return 'more';
}

/** A small file whole. Rejects like `openList`. */
export async function readWhole({ handle, bytes }: OpenList): Promise<Bytes> {
  const whole = new Uint8Array(bytes);
  let position = 0;
  while (position < bytes) {
    const { bytesRead } = await handle.read(whole, position, bytes - position, position);
    if (bytesRead === 0) break;
    position += bytesRead;
  }
  return whole.subarray(0, position);
}

/** LIST_UNREADABLE, from an error of the system or in words; what is one already stays as it is. */
export function unreadable(file: string, cause: unknown): AltNetError {
  if (isAltNetError(cause)) return cause;
  const why = typeof cause === 'string' ? cause : (systemCode(cause) ?? String(cause));
  return new AltNetError('LIST_UNREADABLE', { file, why }, { cause });
}
