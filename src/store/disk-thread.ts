/**
 * Hashes and writes blocks beside the main thread, which is what receiving at full speed is limited
 * by: starts a worker once enough was asked for, ends it when nothing is, and does without it where
 * it cannot be had. A worker that dies is not started again, and what it owed is done by the main
 * thread. It knows no index and no budget.
 */
import { type Bytes, toHex, totalLength } from '../base/bytes.ts';
import type { CancelTimer, Timers } from '../base/clock.ts';
import { sha256 } from '../base/hash.ts';
import type { Logger } from '../base/logger.ts';
import type { NewFile } from './disk-tasks.ts';
import { diskProgram, RunningWorker } from './running-worker.ts';

/**
 * A thread takes 20 MB and 0.1 s of a processor. Until so much was hashed and written within two
 * periods of rest the main thread does it in less time.
 */
const worthwhileBytesDefault = 32 * 1024 * 1024;
/** It is looked every so often whether anything was asked since the last look. */
const restMs = 5000;
/** Of a file that the worker is to write. */
const sharedShareMin = 7 / 8;

export interface DiskThreadOptions {
  readonly timers: Timers;
  readonly log: Logger;
  /** Bytes to be hashed or written before there is a worker. Default 32 MiB. */
  readonly worthwhileBytes?: number | undefined;
  /** What the worker runs. */
  readonly program?: URL | undefined;
}

/** What the system said to the worker. */
class DiskError extends Error {
  readonly code: string | undefined;

  constructor(why: string, code: string | undefined) {
    super(why);
    this.code = code;
  }
}

export class DiskThread {
  readonly #options: DiskThreadOptions;
  readonly #pending = new Set<Promise<unknown>>(); // BOUNDED by the tasks of a worker
  #worker: RunningWorker | undefined;
  #isOver = false;
  #askedBytes = 0;
  #cancelLook: CancelTimer | undefined;

  constructor(options: DiskThreadOptions) {
    this.#options = options;
  }

  /**
   * Whether the SHA-256 of `bytes` is `hash`. Undefined when the caller had better find out itself.
   * Nobody changes `bytes` until it is known.
   */
  matches(hash: Bytes, bytes: Bytes): Promise<boolean> | undefined {
    if (!isShared(bytes) || this.#isOver) return undefined;
    this.#askedBytes += bytes.length;
    this.#lookLater();
    const answer = this.#running()?.ask({ kind: 'hash', bytes });
    return answer && this.#noted(compare({ hash, bytes }, answer));
  }

  /**
   * Makes files, or makes them anew, in folders that are made as well. Gives back those that the
   * caller has to make: it was not begun with them, or the worker died over them and writes no
   * more. Rejects with what the system said first. Nobody changes the bytes before.
   */
  async write(files: readonly NewFile[]): Promise<readonly NewFile[]> {
    const mine = files.filter(isMostlyShared);
    if (mine.length === 0 || this.#isOver) return files;
    for (const { parts } of mine) this.#askedBytes += totalLength(parts);
    this.#lookLater();
    const answer = this.#running()?.ask({ kind: 'write', files: mine.map(withCopies) });
    const said = await (answer && this.#noted(answer));
    if (said?.kind === 'failed') throw new DiskError(said.why, said.code);
    return said ? files.filter((file) => !isMostlyShared(file)) : files;
  }

  /** Resolves when what was asked is done and no worker is left. */
  async stop(): Promise<void> {
    this.#isOver = true;
    this.#cancelLook?.();
    await Promise.allSettled(this.#pending);
    await this.#end();
  }

  #running(): RunningWorker | undefined {
    const { worthwhileBytes = worthwhileBytesDefault, program = diskProgram, log } = this.#options;
    if (this.#worker || this.#askedBytes < worthwhileBytes) return this.#worker;
    this.#worker = new RunningWorker(program, (why) => {
      this.#isOver = true;
      this.#worker = undefined;
      log.warn('the disk worker died: the main thread does its work', { why });
    });
    return this.#worker;
  }

  #noted<T>(work: Promise<T>): Promise<T> {
    const noted = work.finally(() => this.#pending.delete(noted));
    this.#pending.add(noted);
    return noted;
  }

  #lookLater(): void {
    this.#cancelLook ??= this.#options.timers.after(restMs, () => {
      this.#cancelLook = undefined;
      const wasAsked = this.#askedBytes > 0 || this.#pending.size > 0;
      this.#askedBytes = 0;
      if (wasAsked) this.#lookLater();
      else void this.#end();
    });
  }

  async #end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.end();
  }
}

async function compare(
  { hash, bytes }: { readonly hash: Bytes; readonly bytes: Bytes },
  answer: ReturnType<RunningWorker['ask']>,
): Promise<boolean> {
  const said = await answer;
  const hex = said?.kind === 'hashed' ? said.hex : toHex(sha256(bytes));
  return hex === toHex(hash);
}

function isShared({ buffer }: Bytes): boolean {
  return buffer instanceof SharedArrayBuffer;
}

/** The rest, such as the head of a pack, is little enough to be copied for the worker. */
function isMostlyShared({ parts }: NewFile): boolean {
  return totalLength(parts.filter(isShared)) >= totalLength(parts) * sharedShareMin;
}

/** A view of memory that is not shared would take with it all the memory that it is a view of. */
function withCopies({ name, parts }: NewFile): NewFile {
  return { name, parts: parts.map((part) => (isShared(part) ? part : Uint8Array.from(part))) };
}
