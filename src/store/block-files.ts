/**
 * Files that hold one block each: <folder>/<first byte of the hash>/<hash>. It knows paths and
 * bytes. Which of the files count is said by the index in LMDB, so a file may be incomplete or
 * forgotten at any moment.
 */
import { closeSync, mkdirSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { type Bytes, parseHex, toHex } from '../base/bytes.ts';
import { systemCode } from '../base/errors.ts';

export class BlockFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Exactly `size` bytes, or undefined when the file is missing, shorter or longer. */
  read(hash: Bytes, size: number): Bytes | undefined {
    let fd: number;
    try {
      fd = openSync(this.#pathOf(hash), 'r');
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined;
      throw error;
    }
    try {
      // One byte more than asked for tells a file that is too long.
      const bytes = Buffer.allocUnsafeSlow(size + 1);
      let count = 0;
      for (let step = 1; step > 0 && count < bytes.length; count += step) {
        step = readSync(fd, bytes, count, bytes.length - count, null);
      }
      return count === size ? bytes.subarray(0, size) : undefined;
    } finally {
      closeSync(fd);
    }
  }

  /** Resolves when the system has all of it. Rejects with the system's error (ENOSPC …). */
  async write(hash: Bytes, bytes: Bytes): Promise<void> {
    await using file = await this.#create(this.#pathOf(hash));
    await file.writeFile(bytes);
  }

  async #create(file: string): ReturnType<typeof open> {
    try {
      return await open(file, 'w', 0o600);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
      await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
      return open(file, 'w', 0o600);
    }
  }

  /** No error when there is none. */
  async remove(hash: Bytes): Promise<void> {
    await rm(this.#pathOf(hash), { force: true });
  }

  /** Every block file with its size; slow, for start-up after a crash. */
  *list(): Iterable<{ readonly hash: Bytes; readonly size: number }> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    for (const shard of readdirSync(this.#folder)) {
      const folder = path.join(this.#folder, shard);
      if (!/^[0-9a-f]{2}$/.test(shard)) continue;
      for (const name of readdirSync(folder)) {
        const hash = parseHex(name, 32);
        if (hash) yield { hash, size: statSync(path.join(folder, name)).size };
      }
    }
  }

  #pathOf(hash: Bytes): string {
    const name = toHex(hash);
    return path.join(this.#folder, name.slice(0, 2), name);
  }
}
