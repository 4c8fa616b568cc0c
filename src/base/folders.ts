/**
 * Makes folders with those above them. Node.js does that as well, by `recursive`, but where a
 * system says of a new folder that there is no such thing although the one above is there, as below
 * /proc, it tries for ever, in a thread that nobody gets back; and of a disk that is read-only it
 * says that something is missing.
 *
 * Must not know: what is put there.
 */
import { mkdirSync, statSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { systemCode } from './errors.ts';

/** Resolves when `folder` is there; rejects with what the system said otherwise. */
export async function makeFolders(folder: string, mode = 0o777): Promise<void> {
  try {
    await makeOne(folder, mode);
  } catch (error) {
    const above = path.dirname(folder);
    if (systemCode(error) !== 'ENOENT' || above === folder) throw error;
    await makeFolders(above, mode); // BOUNDED by the system: no path has more than 4,096 octets
    await makeOne(folder, mode);
  }
}

/** The same at once, for where nothing may come in between. */
export function makeFoldersNow(folder: string, mode = 0o777): void {
  try {
    makeOneNow(folder, mode);
  } catch (error) {
    const above = path.dirname(folder);
    if (systemCode(error) !== 'ENOENT' || above === folder) throw error;
    makeFoldersNow(above, mode);
    makeOneNow(folder, mode);
  }
}

async function makeOne(folder: string, mode: number): Promise<void> {
  try {
    await mkdir(folder, { mode });
  } catch (error) {
    const info = systemCode(error) === 'ENOENT' ? undefined : await stat(folder).catch(() => null);
    if (!info?.isDirectory()) throw error; // one that is there already is as good
  }
}

function makeOneNow(folder: string, mode: number): void {
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    const isMissing = systemCode(error) === 'ENOENT';
    const info = isMissing ? undefined : statSync(folder, { throwIfNoEntry: false });
    if (!info?.isDirectory()) throw error;
  }
}
