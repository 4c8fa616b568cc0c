/**
 * Where a short-lived node keeps what it has while it runs, and what becomes of that. It must not
 * know what a node does there.
 */
import { access, mkdtemp, rm, rmdir } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { systemCode } from '../base/errors.ts';
import { makeFolders } from '../base/folders.ts';

export interface ShortLivedFolder {
  /** Absolute; it exists. */
  readonly folder: string;
  /** Nothing of an earlier command is in it. */
  readonly isNew: boolean;
  /** With everything in it. */
  readonly remove: () => Promise<void>;
}

/** In the system's temporary folder, for what nobody needs afterwards. */
export async function temporaryFolder(): Promise<ShortLivedFolder> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'altnet-'));
  return { folder, isNew: true, remove: () => rm(folder, { recursive: true, force: true }) };
}

/**
 * Always the same one in the user's data folder: what work left there that did not get to its end,
 * the next finds again. It holds content only, which is as large as what is fetched; the system's
 * temporary folder may be in memory.
 */
export async function lastingFolder(data: string): Promise<ShortLivedFolder> {
  const isFirst = !(await exists(data));
  const folder = path.join(data, 'unfinished');
  const isNew = !(await exists(folder));
  await makeFolders(folder, 0o700);
  const remove = async (): Promise<void> => {
    await rm(folder, { recursive: true, force: true });
    // A command that did nothing leaves nothing; keys that it made keep the folder.
    if (isFirst) await rmdir(data).catch(() => undefined);
  };
  return { folder, isNew, remove };
}

export async function exists(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ENOENT';
  }
}
