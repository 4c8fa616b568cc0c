/**
 * A file that appears at its place whole or not at all, and never instead of another. Knows nothing
 * of what is written.
 */
import { randomBytes } from 'node:crypto';
import { link, open, rename, rm, stat } from 'node:fs/promises';
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

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    (error: unknown) => systemCode(error) !== 'ENOENT',
  );
}

function taken(file: string): AltNetError<'PATH_UNSUPPORTED'> {
  return new AltNetError('PATH_UNSUPPORTED', { path: file, why: 'it exists already' });
}
