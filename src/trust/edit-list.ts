/**
 * Changing a list's file: as a new one beside it that takes its place at once, so that readers and
 * crashes meet the old list or the new one. It must not know what the lines mean.
 */
import { constants } from 'node:fs';
import { copyFile, type FileHandle, open, realpath, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { type Bytes, utf8 } from '../base/bytes.ts';
import { syncFolder, writeError } from '../base/whole-file.ts';
import { type FileStamp, stampOf } from './list-file.ts';

/** Octets of the file, from `from` up to and excluding `to`. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** overtaken: the file is no longer the one that the change was meant for, and stays. */
export type Edited = { readonly stamp: FileStamp } | 'overtaken';

const newFileMode = 0o600;
const lineFeed = 0x0a;

/** One more line at the end. Rejects with DISK_FULL or PATH_UNSUPPORTED. */
export function appendLine(
  file: string,
  { line, heading, stamp }: { line: string; heading: string; stamp: FileStamp },
): Promise<Edited> {
  return replaceFile(file, stamp, async (target, draft) => {
    if (stamp !== undefined) await copyFile(target, draft, constants.COPYFILE_FICLONE);
    await using handle = await open(draft, stamp === undefined ? 'wx' : 'r+', newFileMode);
    const { size } = await handle.stat();
    const start = stamp === undefined ? heading : (await endsOpen(handle, size)) ? '\n' : '';
    await writeAt(handle, utf8(`${start}${line}\n`), size);
    await handle.sync();
  });
}

async function endsOpen(handle: FileHandle, size: number): Promise<boolean> {
  const last = new Uint8Array(1);
  const { bytesRead } = await handle.read(last, 0, 1, Math.max(0, size - 1));
  return bytesRead === 1 && last[0] !== lineFeed;
}

/** Without these parts, which are in order. Rejects like `appendLine`. */
export function dropRanges(
  file: string,
  { ranges, stamp }: { ranges: readonly Range[]; stamp: FileStamp },
): Promise<Edited> {
  return replaceFile(file, stamp, async (target, draft) => {
    await using from = await open(target, 'r');
    const { size, mode } = await from.stat();
    await using to = await open(draft, 'wx', mode & 0o777);
    await to.chmod(mode & 0o777); // whatever the process takes from the modes of new files
    let at = 0;
    let written = 0;
    for (const range of [...ranges, { from: size, to: size }]) {
      written += await copyRange({ from, to }, { from: at, to: range.from }, written);
      at = range.to;
    }
    await to.sync();
  });
}

const pieceBytes = 256 * 1024;

async function copyRange(
  handles: { readonly from: FileHandle; readonly to: FileHandle },
  { from, to }: Range,
  position: number,
): Promise<number> {
  const piece = new Uint8Array(Math.max(0, Math.min(pieceBytes, to - from)));
  let copied = 0;
  while (from + copied < to) {
    const length = Math.min(piece.length, to - from - copied);
    const { bytesRead } = await handles.from.read(piece, 0, length, from + copied);
    if (bytesRead === 0) break;
    await writeAt(handles.to, piece.subarray(0, bytesRead), position + copied);
    copied += bytesRead;
  }
  return copied;
}

async function writeAt(handle: FileHandle, octets: Bytes, position: number): Promise<void> {
  let written = 0;
  while (written < octets.length) {
    const rest = octets.subarray(written);
    const { bytesWritten } = await handle.write(rest, 0, rest.length, position + written);
    written += bytesWritten;
  }
}

/** `write` makes the draft, safe on the disk; it takes the file's place if that is still the same. */
async function replaceFile(
  file: string,
  stamp: FileStamp,
  write: (target: string, draft: string) => Promise<void>,
): Promise<Edited> {
  const target = await realFile(file);
  // One name for all processes, of which one at a time uses the folder: what a crash leaves goes.
  const draft = `${target}.draft`;
  try {
    await rm(draft, { force: true });
    await write(target, draft);
    if ((await stampOf(file)) !== stamp) return 'overtaken';
    await rename(draft, target);
    await syncFolder(path.dirname(target));
    return { stamp: await stampOf(file) };
  } catch (error) {
    throw writeError(file, error);
  } finally {
    await rm(draft, { force: true });
  }
}

/** A symbolic link stays one; the file that it leads to is replaced. */
async function realFile(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch {
    return file;
  }
}
