/**
 * Making one file, on a thread that libuv has for such things. Whoever asks says what it is called
 * and what is in it; which files count is nothing that is known here.
 */
import { close, mkdirSync, open, write } from 'node:fs';
import path from 'node:path';
import type { Bytes } from '../base/bytes.ts';
import { systemCode } from '../base/errors.ts';
import type { NewFile } from './disk-tasks.ts';

/**
 * Makes the file, or makes it anew, and the folder that it is in. Resolves when the system has all
 * of it; rejects with what the system says (ENOSPC …).
 */
export async function writeNewFile({ name, bytes }: NewFile): Promise<void> {
  const fd = await openNew(name).catch((error: unknown) => {
    makeFolder(name, error);
    return openNew(name);
  });
  try {
    for (let at = 0; at < bytes.length;) at += await writeSome(fd, bytes.subarray(at));
  } finally {
    await closing(fd);
  }
}

/** If that was why the file could not be made; else throws the error. */
function makeFolder(name: string, error: unknown): void {
  if (systemCode(error) !== 'ENOENT') throw error;
  mkdirSync(path.dirname(name), { recursive: true, mode: 0o700 });
}

// Promises and FileHandles of node:fs/promises take a thread twice the time of its callbacks.
const openNew = (name: string): Promise<number> =>
  new Promise((resolve, reject) => {
    open(name, 'w', 0o600, (error, fd) => (error ? reject(error) : resolve(fd)));
  });
const writeSome = (fd: number, bytes: Bytes): Promise<number> =>
  new Promise((resolve, reject) => {
    write(fd, bytes, 0, bytes.length, null, (error, count) => {
      if (error) reject(error);
      else resolve(count);
    });
  });
const closing = (fd: number): Promise<void> =>
  new Promise((resolve, reject) => {
    close(fd, (error) => (error ? reject(error) : resolve()));
  });
