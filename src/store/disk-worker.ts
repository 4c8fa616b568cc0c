/**
 * The program of the disk worker: hashes blocks, and has their files made, while the main thread
 * goes on receiving. It knows no index and no budget: which file counts is said by the main thread.
 *
 * It hashes by itself, and leaves files to the threads of libuv meanwhile: so no hash waits for a
 * file, and several files are made at once. With nothing to hash it makes them by itself: to hand
 * three calls for each to another thread and to hear of them takes longer than the calls.
 */
import { type MessagePort, parentPort } from 'node:worker_threads';
import { toHex } from '../base/bytes.ts';
import { systemCode } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import { forEachOf } from '../base/parallel.ts';
import type { DiskAnswer, DiskQuestion, NewFile } from './disk-tasks.ts';
import { writeNewFile, writeNewFileNow } from './new-file.ts';

/** More than libuv has threads, so that these need not wait while a block is hashed. */
const filesAtOnce = 8;
/** Of a file of 256 KiB, where 0.1 is usual: the next ones had better be made several at once. */
const slowFileMs = 0.3;

function failed(number: number, error: unknown): DiskAnswer {
  const why = error instanceof Error ? error.message : String(error);
  return { kind: 'failed', number, code: systemCode(error), why };
}

/** How the files of a group of writes are made. */
class FileMaker {
  #isSlow = false;

  /** `isBusy`: something else is to be done meanwhile. */
  async makeAll(files: readonly NewFile[], isBusy: boolean): Promise<void> {
    const isLeft = isBusy || this.#isSlow;
    this.#isSlow = false; // it is tried again after each group
    if (isLeft) return forEachOf(files, filesAtOnce, writeNewFile);
    const begunMs = performance.now();
    for (const file of files) writeNewFileNow(file);
    this.#isSlow = performance.now() - begunMs > files.length * slowFileMs;
  }
}

function answerAll(port: MessagePort): void {
  const say = (answer: DiskAnswer): void => port.postMessage(answer, []);
  const maker = new FileMaker();
  let isBusy = false; // something was hashed since files were made last
  port.on('message', ({ number, task }: DiskQuestion) => {
    if (task.kind === 'hash') {
      isBusy = true;
      return say({ kind: 'hashed', number, hex: toHex(sha256(task.bytes)) });
    }
    maker.makeAll(task.files, isBusy).then(
      () => say({ kind: 'written', number }),
      (error: unknown) => say(failed(number, error)),
    );
    isBusy = false;
  });
}

if (parentPort) answerAll(parentPort);
