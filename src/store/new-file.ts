/**
 * Files of blocks as they are made: in folders that are made with the first of them, and readable
 * by their owner alone. Which files count is nothing that is known here.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { systemCode } from '../base/errors.ts';
import { makeFileNow, type NewFile, NewFiles } from '../base/new-files.ts';

const how = { flags: 'w', mode: 0o600 } as const;
const files = new NewFiles(how);

/**
 * Makes the file, or makes it anew, and the folder that it is in. Resolves when the system has all
 * of it; rejects with what the system says (ENOSPC …).
 */
export async function writeNewFile(file: NewFile): Promise<void> {
  try {
    await files.make(file);
  } catch (error) {
    makeFolder(file.name, error);
    await files.make(file);
  }
}

/** The same at once, for a thread that has nothing else to do. Throws what the system says. */
export function writeNewFileNow(file: NewFile): void {
  try {
    makeFileNow(file, how);
  } catch (error) {
    makeFolder(file.name, error);
    makeFileNow(file, how);
  }
}

/** If that was why the file could not be made; else throws the error. */
function makeFolder(name: string, error: unknown): void {
  if (systemCode(error) !== 'ENOENT') throw error;
  mkdirSync(path.dirname(name), { recursive: true, mode: 0o700 });
}
