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
import { type Bytes, totalLength } from './bytes.ts';

export interface NewFile {
  readonly name: string;
  /** What it consists of, one after the other. */
  readonly parts: readonly Bytes[];
}

export interface FileKind {
  /** As for `open`: 'w' makes a file anew where there is one, 'wx' rejects with EEXIST. */
  readonly flags: 'w' | 'wx';
  readonly mode: number;
}

export interface NewFilesOptions extends FileKind {
  /** Milliseconds since any moment. */
  readonly nowMs?: (() => number) | undefined;
}

/**
 * For what is written at once, Linux looks for as much memory in one piece. Where memory is in
 * pieces, and after some days it is, to make room for more than this takes it three times as long
 * as to copy what is written.
 */
const pieceBytes = 256 * 1024;
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
    const begunMs = this.#nowMs();
    if (totalLength(file.parts) > smallBytesMax || begunMs < this.#restUntilMs) {
      return makeElsewhere(file, this.#options);
    }
    makeFileNow(file, this.#options);
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
function makeFileNow(file: NewFile, how: FileKind): void {
  for (const _ of makeFileInPieces(file, how)) continue;
}

/** The same, a piece before each that is given. */
export function* makeFileInPieces(
  { name, parts }: NewFile,
  { flags, mode }: FileKind,
): Iterable<void> {
  const fd = openSync(name, flags, mode);
  try {
    for (const piece of piecesOf(parts)) {
      for (let rest = piece; rest.length > 0;) rest = restOf(rest, writevSync(fd, rest));
      yield;
    }
  } finally {
    closeSync(fd);
  }
}

/** What is written at once: as far as the next multiple of `pieceBytes` in the file. */
function* piecesOf(parts: readonly Bytes[]): Iterable<readonly Bytes[]> {
  let piece: Bytes[] = []; // BOUNDED by pieceBytes, as none of its parts is empty
  let room = pieceBytes;
  for (const part of parts) {
    for (let at = 0; at < part.length;) {
      const some = part.subarray(at, at + room);
      piece.push(some);
      at += some.length;
      room -= some.length;
      if (room > 0) continue;
      yield piece;
      [piece, room] = [[], pieceBytes];
    }
  }
  if (piece.length > 0) yield piece;
}

/** What is left of `parts` once so many bytes were written. */
function restOf(parts: readonly Bytes[], count: number): readonly Bytes[] {
  let [place, left] = [0, count];
  for (let part = parts[0]; part && left >= part.length; part = parts[++place]) left -= part.length;
  const [first, ...others] = parts.slice(place);
  return first ? [first.subarray(left), ...others] : [];
}

/** On a thread that libuv has for such things. */
async function makeElsewhere({ name, parts }: NewFile, { flags, mode }: FileKind): Promise<void> {
  const fd = await opened(name, flags, mode);
  try {
    for (const piece of piecesOf(parts)) {
      for (let rest = piece; rest.length > 0;) rest = restOf(rest, await written(fd, rest));
    }
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
