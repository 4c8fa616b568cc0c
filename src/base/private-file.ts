/** Files that their owner alone may read: those of keys. */
import process from 'node:process';
import { AltNetError } from './errors.ts';

/** `mode`: as `stat` tells it. Throws KEY_EXPOSED when others can read the file. */
export function requirePrivate(file: string, mode: number): void {
  // Windows has no such bits; there the folder's access list is what protects the file.
  if (process.platform === 'win32' || (mode & 0o077) === 0) return;
  const text = (mode & 0o777).toString(8).padStart(4, '0');
  throw new AltNetError('KEY_EXPOSED', { file, mode: text });
}
