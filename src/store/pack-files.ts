/**
 * Pack files, each of which holds many blocks: <folder>/<number in 8 hex digits>. They are written
 * once and never changed. It knows paths and bytes; what of a file counts is said by the index in
 * LMDB, so a file may be incomplete or forgotten at any moment.
 */
import { mkdirSync, readdirSync, readSync, statSync, unlinkSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Bytes } from '../base/bytes.ts';
import { systemCode } from '../base/errors.ts';
import { forEachOf } from '../base/parallel.ts';
import type { MemoryFor } from '../content/ports.ts';
import type { PackPlace } from './block-place.ts';
import type { DiskThread } from './disk-thread.ts';
import { writeNewFile } from './new-file.ts';
import { OpenPacks } from './open-packs.ts';
import {
  decodeHead,
  headBytesMax,
  type NewPack,
  type PackedBlock,
  type PackLine,
} from './pack-layout.ts';

const filesAtOnce = 4;
/** After so many removals, other work of this thread gets a turn. */
const filesPerTurn = 64;
/** What lies between two blocks is read with them if it is no more than this. */
const gapBytesMax = 64 * 1024;

export class PackFiles {
  readonly #folder: string;
  readonly #thread: Pick<DiskThread, 'write'> | undefined;
  readonly #open = new OpenPacks((number) => this.#nameOf(number));

  /** `thread`: what comes in memory that it can see is written by it. */
  constructor(folder: string, thread?: Pick<DiskThread, 'write'>) {
    this.#folder = folder;
    this.#thread = thread;
  }

  /**
   * Resolves when the system has all of them, before anybody may read them. Rejects with the
   * system's error (ENOSPC …).
   */
  async writeAll(packs: readonly NewPack[]): Promise<void> {
    const files = packs.map(({ number, parts }) => ({ name: this.#nameOf(number), parts }));
    const left = this.#thread ? await this.#thread.write(files) : files;
    await forEachOf(left, filesAtOnce, writeNewFile);
  }

  /** Resolves when a power cut cannot take it away any more. */
  async flush(number: number): Promise<void> {
    await using file = await open(this.#nameOf(number), 'r+');
    await file.sync();
  }

  /** In what `memoryFor` gives, if it does; undefined when the file is missing or too short. */
  read({ pack, offset, bytes: size }: PackPlace, memoryFor?: MemoryFor): Bytes | undefined {
    const fd = this.#open.descriptorOf(pack);
    if (fd === undefined) return undefined;
    const bytes = memoryFor?.(size) ?? Buffer.allocUnsafeSlow(size);
    for (let count = 0; count < size;) {
      const step = readSync(fd, bytes, count, size - count, offset + count);
      if (step === 0) return undefined;
      count += step;
    }
    return bytes;
  }

  /** What its head says of its blocks; undefined when there is no file, or no head in it. */
  async linesOf(number: number): Promise<PackLine[] | undefined> {
    return this.#reading(number, async (file) => {
      const head = await readRun(file, { offset: 0, size: headBytesMax });
      return decodeHead(head, number);
    });
  }

  /** Many blocks of one pack, beside this thread; without those for which it is too short. */
  async readAll(number: number, lines: readonly PackLine[]): Promise<PackedBlock[]> {
    const blocks: PackedBlock[] = []; // BOUNDED by the lines
    await this.#reading(number, async (file) => {
      for (const run of runsOf(lines)) {
        const bytes = await readRun(file, run);
        for (const { hash, place } of run.lines) {
          const start = place.offset - run.offset;
          const block = bytes.subarray(start, start + place.bytes);
          if (block.length === place.bytes) blocks.push({ hash, bytes: block });
        }
      }
    });
    return blocks;
  }

  /** No error when there is none. */
  async removeAll(numbers: readonly number[]): Promise<void> {
    for (const [i, number] of numbers.entries()) {
      if (i > 0 && i % filesPerTurn === 0) await setImmediate();
      this.#open.close(number);
      try {
        unlinkSync(this.#nameOf(number));
      } catch (error) {
        if (systemCode(error) !== 'ENOENT') throw error;
      }
    }
  }

  /** Every pack file with its size; slow, for start-up after a crash. */
  *list(): Iterable<{ readonly number: number; readonly size: number }> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(this.#folder)) {
      if (!/^[0-9a-f]{8}$/.test(name)) continue;
      yield {
        number: Number.parseInt(name, 16),
        size: statSync(path.join(this.#folder, name)).size,
      };
    }
  }

  /** Of what was opened to be read. */
  close(): void {
    this.#open.closeAll();
  }

  /** Undefined when there is no file. */
  async #reading<T>(
    number: number,
    work: (file: FileHandle) => Promise<T>,
  ): Promise<T | undefined> {
    try {
      await using file = await open(this.#nameOf(number), 'r');
      return await work(file);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  #nameOf(number: number): string {
    return `${this.#folder}${path.sep}${number.toString(16).padStart(8, '0')}`;
  }
}

/** As much of it as there is. */
async function readRun(
  file: FileHandle,
  { offset, size }: { readonly offset: number; readonly size: number },
): Promise<Bytes> {
  const bytes = Buffer.allocUnsafeSlow(size);
  // A system may give less than there is; what is taken for missing is given up as lost.
  for (let count = 0; count < size;) {
    const { bytesRead } = await file.read(bytes, count, size - count, offset + count);
    if (bytesRead === 0) return bytes.subarray(0, count);
    count += bytesRead;
  }
  return bytes;
}

interface Run {
  readonly offset: number;
  size: number;
  readonly lines: PackLine[];
}

/** Blocks that lie near to each other are read together; they are given in order of place. */
function runsOf(lines: readonly PackLine[]): Run[] {
  const runs: Run[] = []; // BOUNDED by the lines
  for (const line of lines) {
    const { offset, bytes } = line.place;
    const last = runs.at(-1);
    if (last && offset - (last.offset + last.size) <= gapBytesMax) {
      last.size = offset + bytes - last.offset;
      last.lines.push(line);
    } else {
      runs.push({ offset, size: bytes, lines: [line] });
    }
  }
  return runs;
}
