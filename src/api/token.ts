/** The API token's file: made once, readable by its owner alone. Knows nothing of HTTP. */
import { randomBytes } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { AltNetError, systemCode } from '../base/errors.ts';
import { makeFolders } from '../base/folders.ts';

const tokenBytes = 32;

/** Where the token of the node that uses this data folder is kept. */
export function tokenFileIn(data: string): string {
  return path.join(data, 'registrar-token.txt');
}

/** The token in `file`, 64 hex digits made at random when there is none. */
export async function loadOrCreateToken(file: string): Promise<string> {
  const present = await readToken(file);
  if (present !== undefined) return present;
  await createToken(file);
  const made = await readToken(file);
  if (made === undefined) throw new AltNetError('PATH_MISSING', { path: file });
  return made;
}

/**
 * The token in `file`, or undefined when there is no such file. A file that others can read, or
 * that holds no token, is an error that names it: a guessable token must never be used.
 */
export async function readToken(file: string): Promise<string | undefined> {
  try {
    const text = await readFile(file, 'utf8');
    const { mode } = await stat(file);
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new AltNetError('KEY_EXPOSED', { file, mode: (mode & 0o777).toString(8) });
    }
    const token = text.trim();
    if (isToken(token)) return token;
    throw new AltNetError('KEY_DAMAGED', {
      file,
      why: 'it holds no token of 16 to 512 characters',
    });
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') return undefined;
    if (code === undefined || error instanceof AltNetError) throw error;
    throw new AltNetError('PATH_UNREADABLE', { path: file, why: code }, { cause: error });
  }
}

/** Whether `token` can stand in an Authorization header and is long enough not to be guessed. */
export function isToken(token: string): boolean {
  return /^[\x21-\x7e]{16,512}$/.test(token);
}

async function createToken(file: string): Promise<void> {
  try {
    await makeFolders(path.dirname(file));
    const token = randomBytes(tokenBytes).toString('hex');
    await writeFile(file, `${token}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return; // made by another process meanwhile: use that one
    const why = systemCode(error) ?? 'unknown reason';
    throw new AltNetError('PATH_UNREADABLE', { path: file, why }, { cause: error });
  }
}
