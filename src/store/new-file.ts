/**
 * Files of blocks as they are made: in folders that are made with the first of them, and readable
 * by their owner alone. Which files count is nothing that is known here.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { systemCode } from '../base/errors.ts';
import { type NewFile, NewFiles } from '../base/new-files.ts';

const files = new NewFiles({ flags: 'w', mode: 0o600 });
/** For a thread that has nothing else to do. */
const filesHere = new NewFiles({ flags: 'w', mode: 0o600, hereBytesMax: Infinity });

/**
 * Makes the file, or makes it anew, and the folder that it is in. Resolves when the system has all
 * of it; rejects with what the system says (ENOSPC …).
 */
export function writeNewFile(file: NewFile): Promise<void> {
  return makeWith(files, file);
}

/** The same on the spot, whatever its size, unless the disk makes others wait. */
export function writeNewFileHere(file: NewFile): Promise<void> {
  return makeWith(filesHere, file);
}

async function makeWith(maker: NewFiles, file: NewFile): Promise<void> {
  try {
    await maker.make(file);
  } catch (error) {
    makeFolder(file.name, error);
    await maker.make(file);
  }
}

/** If that was why the file could not be made; else throws the error. */
function makeFolder(name: string, error: unknown): void {
  if (systemCode(error) !== 'ENOENT') throw error;
  mkdirSync(path.dirname(name), { recursive: true, mode: 0o700 });
}
