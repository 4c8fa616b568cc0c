/**
 * Small files that are there as a whole or not at all, also after a crash: those of keys, tokens
 * and lists. What the system says of them is told in the program's own words. Must not know: what
 * stands in them.
 */
import { constants } from 'node:fs';
import { copyFile, link, open, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { toHex } from './bytes.ts';
import type { Random } from './clock.ts';
import { AltNetError, isAltNetError, systemCode } from './errors.ts';
import { makeFolders } from './folders.ts';

export interface WholeFile {
  readonly text: string;
  /** Permissions. */
  readonly mode: 0o600 | 0o644;
}

/**
 * Puts `content` into `file`, unless there is such a file: what is there then counts, also what
 * another process made at the same time. A folder that is missing is made for its owner alone.
 * Rejects with DISK_FULL or PATH_UNSUPPORTED.
 */
export async function writeOnce(
  file: string,
  content: WholeFile,
  random: Pick<Random, 'bytes'>,
): Promise<void> {
  const draft = await writeDraft(file, content, random);
  try {
    await duplicate(draft, file);
    await syncFolder(path.dirname(file));
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw writeError(file, error);
  } finally {
    await rm(draft, { force: true });
  }
}

/** A file of its own beside `file`, safe on the disk, that may take its place. Rejects like above. */
export async function writeDraft(
  file: string,
  { text, mode }: WholeFile,
  random: Pick<Random, 'bytes'>,
): Promise<string> {
  const draft = `${file}.${toHex(random.bytes(8))}.draft`;
  try {
    await makeFolders(path.dirname(file), 0o700);
    await using handle = await open(draft, 'wx', mode);
    await handle.writeFile(text);
    await handle.sync();
    return draft;
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined); // why it could not be made counts
    throw writeError(file, error);
  }
}

/** Gives a file a second name; rejects with EEXIST rather than replace anything. */
export async function duplicate(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw error;
    await copyFile(from, to, constants.COPYFILE_EXCL); // file systems without hard links
  }
}

/** Makes new names durable, where the system lets folders be opened. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    await using handle = await open(folder, 'r');
    await handle.sync();
  } catch {
    // Windows cannot do this; the file itself was synced.
  }
}

/**
 * All of `file`; undefined when there is none. `check` is told its permissions before it is read,
 * and throws what is wrong with them; `notOurs` is thrown for what is larger than `bytesMax`, or no
 * file. Rejects with PATH_UNREADABLE besides.
 */
export async function readWhole(
  file: string,
  {
    bytesMax,
    check,
    notOurs,
  }: {
    readonly bytesMax: number;
    readonly check?: (mode: number) => void;
    readonly notOurs: () => AltNetError;
  },
): Promise<string | undefined> {
  try {
    const info = await stat(file);
    if (!info.isFile() || info.size > bytesMax) throw notOurs();
    check?.(info.mode);
    return await readFile(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    if (isAltNetError(error)) throw error;
    const why = systemCode(error) ?? 'unknown';
    throw new AltNetError('PATH_UNREADABLE', { path: file, why }, { cause: error });
  }
}

/** What a failure to write `file` is to a user. One that was told before stays what it is. */
export function writeError(file: string, cause: unknown): AltNetError {
  if (isAltNetError(cause)) return cause;
  const code = systemCode(cause);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new AltNetError('DISK_FULL', { folder: path.dirname(file) }, { cause });
  }
  const why = `it cannot be written (${code ?? 'unknown'})`;
  return new AltNetError('PATH_UNSUPPORTED', { path: file, why }, { cause });
}
