/**
 * Files that hold one block each: <folder>/<first byte of the hash>/<hash>, as versions before 4
 * have written them. They are read and removed, and none is made any more. It knows paths and
 * bytes; which of the files count is said by the index in LMDB.
 */
import { closeSync, openSync, readdirSync, readSync, statSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type Bytes, parseHex, toHex } from '../base/bytes.ts';
import { systemCode } from '../base/errors.ts';
import type { MemoryFor } from '../content/ports.ts';

/** What is read there, nobody looks at. */
const oneByte = Buffer.alloc(1);
/** After so many removals, other work of this thread gets a turn. */
const filesPerTurn = 64;

export class BlockFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Exactly `size` bytes, in what `memoryFor` gives, if it does; or undefined when the file is
   * missing, shorter or longer.
   */
  read(hash: Bytes, size: number, memoryFor?: MemoryFor): Bytes | undefined {
    let fd: number;
    try {
      fd = openSync(this.#pathOf(hash), 'r');
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined;
      throw error;
    }
    try {
      const bytes = memoryFor?.(size) ?? Buffer.allocUnsafeSlow(size);
      for (let count = 0; count < size;) {
        const step = readSync(fd, bytes, count, size - count, null);
        if (step === 0) return undefined;
        count += step;
      }
      // One byte more than asked for tells a file that is too long.
      return readSync(fd, oneByte, 0, 1, null) === 0 ? bytes : undefined;
    } finally {
      closeSync(fd);
    }
  }

  /** No error when there is none. */
  async removeAll(hashes: readonly Bytes[]): Promise<void> {
    for (const [i, hash] of hashes.entries()) {
      if (i > 0 && i % filesPerTurn === 0) await setImmediate();
      try {
        unlinkSync(this.#pathOf(hash));
      } catch (error) {
        if (systemCode(error) !== 'ENOENT') throw error;
      }
    }
  }

  /** Every block file with its size; slow, for start-up after a crash. */
  *list(): Iterable<{ readonly hash: Bytes; readonly size: number }> {
    for (const shard of foldersIn(this.#folder)) {
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
    // path.join() looks at each character: 20 µs for a path of this length.
    return `${this.#folder}${path.sep}${name.slice(0, 2)}${path.sep}${name}`;
  }
}

/** None where no version before 4 has been. */
function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    return [];
  }
}
