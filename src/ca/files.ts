/**
 * The folder of the authority: ca-key.pem (0600) and ca.pem in a folder of 0700, made once and
 * never replaced, also when two processes begin at the same time. It knows nothing of certificates.
 */
import path from 'node:path';
import { AltNetError } from '../base/errors.ts';
import { requirePrivate } from '../base/private-file.ts';
import { readWhole } from '../base/whole-file.ts';

/** Both have less than 2,000 octets. */
const fileBytesMax = 16_384;

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
  check: (mode: number) => void = () => undefined,
): Promise<string | undefined> {
  const notOurs = (): AltNetError =>
    new AltNetError('CA_UNUSABLE', { file, why: 'it is no such file' });
  return readWhole(file, { bytesMax: fileBytesMax, check, notOurs });
}
