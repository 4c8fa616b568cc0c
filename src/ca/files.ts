/**
 * The folder of the authority: ca-key.pem (0600) and ca.pem in a folder of 0700, made once and
 * never replaced, also when two processes begin at the same time. It knows nothing of certificates.
 */
import { constants } from 'node:fs';
import { copyFile, link, open, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { toHex } from '../base/bytes.ts';
import type { Random } from '../base/clock.ts';
import { AltNetError, isAltNetError, systemCode } from '../base/errors.ts';
import { makeFolders } from '../base/folders.ts';
import { requirePrivate } from '../base/private-file.ts';

/** Both have less than 2,000 octets. */
const fileBytesMax = 16_384;

export interface NewFile {
  readonly text: string;
  /** Permissions. */
  readonly mode: 0o600 | 0o644;
}

export function keyFileIn(folder: string): string {
  return path.join(folder, 'ca-key.pem');
}

export function certificateFileIn(folder: string): string {
  return path.join(folder, 'ca.pem');
}

/** Undefined when there is no such file. Rejects with KEY_EXPOSED when others can read it. */
export async function readSecret(file: string): Promise<string | undefined> {
  return readText(file, (mode) => requirePrivate(file, mode));
}

/** Undefined when there is no such file. Rejects with CA_UNUSABLE or PATH_UNREADABLE. */
export async function readText(
  file: string,
  checkMode: (mode: number) => void = () => undefined,
): Promise<string | undefined> {
  try {
    const info = await stat(file);
    if (!info.isFile() || info.size > fileBytesMax) {
      throw new AltNetError('CA_UNUSABLE', { file, why: 'it is no such file' });
    }
    checkMode(info.mode);
    return await readFile(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    if (isAltNetError(error)) throw error;
    const why = systemCode(error) ?? 'unknown';
    throw new AltNetError('PATH_UNREADABLE', { path: file, why }, { cause: error });
  }
}

/**
 * Puts `text` into `file`, all of it or nothing, unless there is such a file: what is there then
 * counts. Rejects with DISK_FULL or PATH_UNSUPPORTED.
 */
export async function writeOnce(
  file: string,
  { text, mode }: NewFile,
  random: Pick<Random, 'bytes'>,
): Promise<void> {
  const draft = `${file}.${toHex(random.bytes(8))}.draft`;
  try {
    await makeFolders(path.dirname(file), 0o700);
    await writeSynced(draft, { text, mode });
    await duplicate(draft, file);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw writeError(file, error);
  } finally {
    await rm(draft, { force: true });
  }
}

async function writeSynced(file: string, { text, mode }: NewFile): Promise<void> {
  await using handle = await open(file, 'wx', mode);
  await handle.writeFile(text);
  await handle.sync();
}

/** Gives a file a second name; rejects with EEXIST rather than replace anything. */
async function duplicate(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw error;
    await copyFile(from, to, constants.COPYFILE_EXCL); // file systems without hard links
  }
}

function writeError(file: string, error: unknown): Error {
  const code = systemCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new AltNetError('DISK_FULL', { folder: path.dirname(file) }, { cause: error });
  }
  const why = `it cannot be written (${code ?? 'unknown'})`;
  return new AltNetError('PATH_UNSUPPORTED', { path: file, why }, { cause: error });
}
