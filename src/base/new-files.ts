/**
 * Making files, of which there may be many small ones. The system makes one in 20 to 50 µs; to have
 * another thread do it and to hear of it takes several times that of both threads. So small ones
 * are made on the spot, some milliseconds at a time. A disk that takes longer has its files made by
 * other threads for a while: one that is behind with what was written before, one on the network,
 * one of which many files were removed lately (ext4 then looks at each of those: 200 µs). It knows
 * nothing of what the files are, and makes no folders.
 */
import { close, closeSync, open, openSync, writev, writevSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Bytes } from './bytes.ts';

export interface NewFile {
  readonly name: string;
  /** What it consists of, one after the other. */
  readonly parts: readonly Bytes[];
}

export interface NewFilesOptions {
  /** As for `open`: 'w' makes a file anew where there is one, 'wx' rejects with EEXIST. */
  readonly flags: 'w' | 'wx';
  readonly mode: number;
  /** Milliseconds since any moment. */
  readonly nowMs?: (() => number) | undefined;
}

/** To copy more takes longer than to hand it over. */
const smallBytesMax = 64 * 1024;
/** After this long the others get their turn: timers, packets, what came from the disk. */
const turnMs = 3;
/** A file that takes longer than this had better be waited for by another thread. */
const quickMs = 0.15;
/** How many times as long as it was waited for nothing is made on the spot. */
const restTimes = 40;

export class NewFiles {
  readonly #options: NewFilesOptions;
  readonly #nowMs: () => number;
  /** Made on the spot since the others had their turn, and how long that took. */
  #made = 0;
  #spentMs = 0;
  #restUntilMs = -Infinity;

  constructor(options: NewFilesOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? ((): number => performance.now());
  }

  /**
   * Once it is undefined or resolves, the system has all of the file. Throws or rejects with what
   * the system says (ENOSPC …); part of the file may be there then.
   */
  make(file: NewFile): Promise<void> | undefined {
    const { flags, mode } = this.#options;
    const begunMs = this.#nowMs();
    if (lengthOf(file) > smallBytesMax || begunMs < this.#restUntilMs) {
      return makeElsewhere(file, flags, mode);
    }
    makeFileNow(file, { flags, mode });
    const nowMs = this.#nowMs();
    this.#made++;
    this.#spentMs += nowMs - begunMs;
    return this.#spentMs < turnMs ? undefined : this.#pass(nowMs);
  }

  async #pass(nowMs: number): Promise<void> {
    const isSlow = this.#spentMs > this.#made * quickMs;
    if (isSlow) this.#restUntilMs = nowMs + this.#spentMs * restTimes;
    this.#made = 0;
    this.#spentMs = 0;
    await setImmediate();
  }
}

/** On the spot, however long that takes. Throws what the system says. */
export function makeFileNow(
  { name, parts }: NewFile,
  { flags, mode }: Pick<NewFilesOptions, 'flags' | 'mode'>,
): void {
  const fd = openSync(name, flags, mode);
  try {
    for (let rest = parts; rest.length > 0;) rest = restOf(rest, writevSync(fd, rest));
  } finally {
    closeSync(fd);
  }
}

function lengthOf({ parts }: NewFile): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

/** What is left of `parts` once so many bytes were written; nothing of what is empty. */
function restOf(parts: readonly Bytes[], count: number): readonly Bytes[] {
  let [place, left] = [0, count];
  for (let part = parts[0]; part && left >= part.length; part = parts[++place]) left -= part.length;
  const [first, ...others] = parts.slice(place);
  return first ? [first.subarray(left), ...others] : [];
}

/** On a thread that libuv has for such things. */
async function makeElsewhere({ name, parts }: NewFile, flags: string, mode: number): Promise<void> {
  const fd = await opened(name, flags, mode);
  try {
    for (let rest = parts; rest.length > 0;) rest = restOf(rest, await written(fd, rest));
  } finally {
    await closed(fd);
  }
}

// Promises and FileHandles of node:fs/promises take a thread twice the time of its callbacks.

const opened = (name: string, flags: string, mode: number): Promise<number> =>
  new Promise((resolve, reject) => {
    open(name, flags, mode, (error, fd) => (error ? reject(error) : resolve(fd)));
  });

const written = (fd: number, parts: readonly Bytes[]): Promise<number> =>
  new Promise((resolve, reject) => {
    writev(fd, parts, (error, count) => {
      if (error) reject(error);
      else resolve(count);
    });
  });

const closed = (fd: number): Promise<void> =>
  new Promise((resolve, reject) => {
    close(fd, (error) => (error ? reject(error) : resolve()));
  });
