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
import type { DiskAnswer, DiskQuestion, DiskTask } from './disk-tasks.ts';
import { writeNewFile, writeNewFileHere } from './new-file.ts';

/** More than libuv has threads, so that these need not wait while a block is hashed. */
const filesAtOnce = 8;

function failed(number: number, error: unknown): DiskAnswer {
  const why = error instanceof Error ? error.message : String(error);
  return { kind: 'failed', number, code: systemCode(error), why };
}

async function written(
  number: number,
  { files, isBusy }: DiskTask & { readonly kind: 'write' } & { readonly isBusy: boolean },
): Promise<DiskAnswer> {
  try {
    await forEachOf(files, filesAtOnce, isBusy ? writeNewFile : writeNewFileHere);
    return { kind: 'written', number };
  } catch (error) {
    return failed(number, error);
  }
}

function answerAll(port: MessagePort): void {
  const say = (answer: DiskAnswer): void => port.postMessage(answer, []);
  let isBusy = false; // something was hashed since files were made last
  port.on('message', ({ number, task }: DiskQuestion) => {
    if (task.kind === 'write') void written(number, { ...task, isBusy }).then(say);
    else say({ kind: 'hashed', number, hex: toHex(sha256(task.bytes)) });
    isBusy = task.kind === 'hash';
  });
}

if (parentPort) answerAll(parentPort);
