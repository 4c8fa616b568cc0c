/**
 * The program of the disk worker: hashes blocks, and has their files made, while the main thread
 * goes on receiving. It knows no index and no budget: which file counts is said by the main thread.
 *
 * It writes a piece at a time and hashes what has come in between, so no hash waits for a file. To
 * hand each call to another thread and to hear of it takes longer than the call. A disk that takes
 * its time is waited for by the threads of libuv.
 */
import { type MessagePort, parentPort } from 'node:worker_threads';
import { toHex, totalLength } from '../base/bytes.ts';
import { systemCode } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import { forEachOf } from '../base/parallel.ts';
import type { DiskAnswer, DiskQuestion, NewFile } from './disk-tasks.ts';
import { writeNewFile, writeNewFileHere } from './new-file.ts';

/** More than libuv has threads, so that these need not wait while a block is hashed. */
const filesAtOnce = 8;
/** Of a mebibyte, where 0.4 is usual: the next files had better be made several at once. */
const slowMs = 1.2;
const mebibyte = 1024 * 1024;

function failed(number: number, error: unknown): DiskAnswer {
  const why = error instanceof Error ? error.message : String(error);
  return { kind: 'failed', number, code: systemCode(error), why };
}

/** How the files of a group of writes are made. */
class FileMaker {
  #isSlow = false;

  async makeAll(files: readonly NewFile[]): Promise<void> {
    const isLeft = this.#isSlow;
    this.#isSlow = false; // it is tried again after each group
    if (isLeft) return forEachOf(files, filesAtOnce, writeNewFile);
    let [spentMs, bytes] = [0, 0];
    for (const file of files) {
      spentMs += await writeNewFileHere(file);
      bytes += totalLength(file.parts);
    }
    this.#isSlow = spentMs > slowMs * Math.ceil(bytes / mebibyte);
  }
}

function answerAll(port: MessagePort): void {
  const say = (answer: DiskAnswer): void => port.postMessage(answer, []);
  const maker = new FileMaker();
  port.on('message', ({ number, task }: DiskQuestion) => {
    if (task.kind === 'hash') {
      return say({ kind: 'hashed', number, hex: toHex(sha256(task.bytes)) });
    }
    maker.makeAll(task.files).then(
      () => say({ kind: 'written', number }),
      (error: unknown) => say(failed(number, error)),
    );
  });
}

if (parentPort) answerAll(parentPort);
