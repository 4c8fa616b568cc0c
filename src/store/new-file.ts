/**
 * Files of blocks as they are made: in folders that are made with the first of them, and readable
 * by their owner alone. Which files count is nothing that is known here.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { systemCode } from '../base/errors.ts';
import { makeFileInPieces, type NewFile, NewFiles } from '../base/new-files.ts';

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

/**
 * The same by this thread itself, which does what else comes to it in between. Resolves to the
 * milliseconds that the system took for it.
 */
export async function writeNewFileHere(file: NewFile): Promise<number> {
  try {
    return await writeInTurns(file);
  } catch (error) {
    makeFolder(file.name, error);
    return writeInTurns(file);
  }
}

async function writeInTurns(file: NewFile): Promise<number> {
  let spentMs = 0;
  let begunMs = performance.now();
  for (const _ of makeFileInPieces(file, how)) {
    spentMs += performance.now() - begunMs;
    await setImmediate();
    begunMs = performance.now();
  }
  return spentMs;
}

/** If that was why the file could not be made; else throws the error. */
function makeFolder(name: string, error: unknown): void {
  if (systemCode(error) !== 'ENOENT') throw error;
  mkdirSync(path.dirname(name), { recursive: true, mode: 0o700 });
}
