/**
 * The program of the disk worker: hashes blocks, and has their files made, while the main thread
 * goes on receiving. It knows no index and no budget: which file counts is said by the main thread.
 *
 * It hashes by itself, and leaves files to the threads of libuv: so no hash waits for a file, and
 * several files are made at once.
 */
import { type MessagePort, parentPort } from 'node:worker_threads';
import { toHex } from '../base/bytes.ts';
import { systemCode } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import { forEachOf } from '../base/parallel.ts';
import type { DiskAnswer, DiskQuestion, DiskTask } from './disk-tasks.ts';
import { writeNewFile } from './new-file.ts';

/** More than libuv has threads, so that these need not wait while a block is hashed. */
const filesAtOnce = 8;

function failed(number: number, error: unknown): DiskAnswer {
  const why = error instanceof Error ? error.message : String(error);
  return { kind: 'failed', number, code: systemCode(error), why };
}

async function written(
  number: number,
  { files }: DiskTask & { readonly kind: 'write' },
): Promise<DiskAnswer> {
  try {
    await forEachOf(files, filesAtOnce, writeNewFile);
    return { kind: 'written', number };
  } catch (error) {
    return failed(number, error);
  }
}

function answerAll(port: MessagePort): void {
  const say = (answer: DiskAnswer): void => port.postMessage(answer, []);
  port.on('message', ({ number, task }: DiskQuestion) => {
    if (task.kind === 'write') void written(number, task).then(say);
    else say({ kind: 'hashed', number, hex: toHex(sha256(task.bytes)) });
  });
}

if (parentPort) answerAll(parentPort);
