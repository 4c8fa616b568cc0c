/**
 * A file that appears at its place whole or not at all, and never instead of another. Knows nothing
 * of what is written.
 */
import { randomBytes } from 'node:crypto';
import { link, lstat, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { AltNetError, systemCode } from '../../base/errors.ts';

/** Rejects with PATH_UNSUPPORTED where something is already, or where no file can be made. */
export async function requireFree(file: string): Promise<void> {
  const there = await exists(file);
  if (there) throw taken(file);
  if (!(await exists(path.dirname(file)))) {
    throw new AltNetError('PATH_MISSING', { path: path.dirname(file) });
  }
}

/** A name beside `file` that nobody else uses; nothing is made there yet. */
export function draftNameOf(file: string): string {
  return `${file}.${randomBytes(6).toString('hex')}.part`;
}

/** Puts the draft at its place; it is safe on disk then. Rejects when something came in between. */
export async function finishDraft(draft: string, file: string): Promise<void> {
  const handle = await open(draft, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    await link(draft, file); // fails where a file is; rename would replace it
    await rm(draft, { force: true });
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST') throw taken(file);
    // Some file systems have no links; there remains a moment between the look and the rename.
    if (await exists(file)) throw taken(file);
    await rename(draft, file);
  }
}

/** The failure of a write to `draft` in words about its place, which no other source can mend. */
export function writeFailure(draft: string, cause: unknown): AltNetError {
  const folder = path.dirname(draft);
  const code = systemCode(cause) ?? 'unknown';
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new AltNetError('DISK_FULL', { folder }, { cause });
  }
  const why = `nothing can be written there (${code})`;
  return new AltNetError('PATH_UNSUPPORTED', { path: folder, why }, { cause });
}

async function exists(file: string): Promise<boolean> {
  try {
    await lstat(file); // a link that leads nowhere is in the way, too
    return true;
  } catch (cause) {
    const code = systemCode(cause) ?? 'unknown';
    if (code === 'ENOENT') return false;
    throw new AltNetError('PATH_UNSUPPORTED', { path: file, why: code }, { cause });
  }
}

function taken(file: string): AltNetError<'PATH_UNSUPPORTED'> {
  return new AltNetError('PATH_UNSUPPORTED', { path: file, why: 'it exists already' });
}
