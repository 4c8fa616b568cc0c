/** The API token's file: made once, readable by its owner alone. Knows nothing of HTTP. */
import path from 'node:path';
import { toHex } from '../base/bytes.ts';
import { systemWorld } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import { requirePrivate } from '../base/private-file.ts';
import { readWhole, writeOnce } from '../base/whole-file.ts';

const tokenBytes = 32;
/** Of a token and what an editor may leave behind it. */
const fileBytesMax = 4096;

/** Where the token of the node that uses this data folder is kept. */
export function tokenFileIn(data: string): string {
  return path.join(data, 'registrar-token.txt');
}

/** The token in `file`, 64 hex digits made at random when there is none. */
export async function loadOrCreateToken(file: string): Promise<string> {
  const present = await readToken(file);
  if (present !== undefined) return present;
  const { random } = systemWorld;
  await writeOnce(file, { text: `${toHex(random.bytes(tokenBytes))}\n`, mode: 0o600 }, random);
  const made = await readToken(file);
  if (made === undefined) throw new AltNetError('PATH_MISSING', { path: file });
  return made;
}

/**
 * The token in `file`, or undefined when there is no such file. A file that others can read, or
 * that holds no token, is an error that names it: a guessable token must never be used.
 */
export async function readToken(file: string): Promise<string | undefined> {
  const why = 'it holds no token of 16 to 512 characters';
  const notOurs = (): AltNetError => new AltNetError('KEY_DAMAGED', { file, why });
  const check = (mode: number): void => requirePrivate(file, mode);
  const text = await readWhole(file, { bytesMax: fileBytesMax, check, notOurs });
  const token = text?.trim();
  if (token === undefined || isToken(token)) return token;
  throw notOurs();
}

/** Whether `token` can stand in an Authorization header and is long enough not to be guessed. */
export function isToken(token: string): boolean {
  return /^[\x21-\x7e]{16,512}$/.test(token);
}
