/**
 * The program of the disk worker: hashes blocks and writes their files, one task after the other,
 * while the main thread goes on receiving. It knows no index and no budget: which file counts is
 * said by the main thread.
 */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { parentPort } from 'node:worker_threads';
import { type Bytes, toHex } from '../base/bytes.ts';
import { systemCode } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import type { DiskAnswer, DiskQuestion, NewFile } from './disk-tasks.ts';

function writeFile({ name, bytes }: NewFile): void {
  const fd = openNew(name);
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
  } finally {
    closeSync(fd);
  }
}

function openNew(name: string): number {
  try {
    return openSync(name, 'w', 0o600);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    mkdirSync(path.dirname(name), { recursive: true, mode: 0o700 });
    return openSync(name, 'w', 0o600);
  }
}

function hexOf(bytes: Bytes): string {
  return toHex(sha256(bytes));
}

function answer({ number, task }: DiskQuestion): DiskAnswer {
  try {
    if (task.kind === 'hash') return { kind: 'hashed', number, hex: hexOf(task.bytes) };
    for (const file of task.files) writeFile(file);
    return { kind: 'written', number };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', number, code: systemCode(error), why };
  }
}

parentPort?.on('message', (question: DiskQuestion) => {
  parentPort?.postMessage(answer(question), []);
});
