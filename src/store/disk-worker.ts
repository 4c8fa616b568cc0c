/**
 * The program of the disk worker: hashes blocks and writes their files while the main thread goes
 * on receiving, hashes first. It knows no index and no budget: which file counts is said by the
 * main thread.
 */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { type MessagePort, parentPort, receiveMessageOnPort } from 'node:worker_threads';
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

function done({ number, task }: DiskQuestion, betweenFiles: () => void): DiskAnswer {
  try {
    if (task.kind === 'hash') return { kind: 'hashed', number, hex: hexOf(task.bytes) };
    for (const file of task.files) {
      writeFile(file);
      betweenFiles();
    }
    return { kind: 'written', number };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', number, code: systemCode(error), why };
  }
}

/**
 * Answers one question after the other. A hash waits for one file at most: who receives can have
 * little that is not verified, and would wait for all that is being written.
 */
function answerAll(port: MessagePort): void {
  const writes: DiskQuestion[] = []; // BOUNDED by what the main thread asks at a time
  const take = (question: DiskQuestion): void => {
    if (question.task.kind === 'write') writes.push(question);
    else
      port.postMessage(
        done(question, () => undefined),
        [],
      );
  };
  const takeNew = (): void => {
    for (;;) {
      const received = receiveMessageOnPort(port);
      if (!received) return;
      take(received.message as DiskQuestion);
    }
  };
  port.on('message', (first: DiskQuestion) => {
    take(first);
    takeNew();
    for (let write = writes.shift(); write; write = writes.shift()) {
      port.postMessage(done(write, takeNew), []);
    }
  });
}

if (parentPort) answerAll(parentPort);
