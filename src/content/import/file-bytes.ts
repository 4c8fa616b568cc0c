/**
 * Opening files of the user and reading them without handing each call to another thread: for small
 * ones that takes ten times as long as the reading. Knows nothing of sites.
 */
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { Bytes } from '../../base/bytes.ts';

/** Opening a pipe that was put in the place of a file must not wait for somebody to write to it. */
export const readFlags: number = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * Fills `into` from the beginning of the file, and what the system says of the file after that.
 * Undefined when it is no regular file. Throws the system's error.
 */
export function readFileInto(
  file: string,
  into: Bytes,
): { readonly length: number; readonly stats: BigIntStats } | undefined {
  const fd = openSync(file, readFlags);
  try {
    let length = 0;
    for (let step = 1; step > 0 && length < into.length; length += step) {
      step = readSync(fd, into, length, into.length - length, null);
    }
    const stats = fstatSync(fd, { bigint: true });
    return stats.isFile() ? { length, stats } : undefined;
  } finally {
    closeSync(fd);
  }
}

/** At most `bytesMax` bytes; otherwise like `readFileInto`. */
export function readStart(file: string, bytesMax: number): Bytes | undefined {
  const bytes = Buffer.allocUnsafeSlow(bytesMax);
  const read = readFileInto(file, bytes);
  return read && bytes.subarray(0, read.length);
}
