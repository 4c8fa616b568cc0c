/**
 * By what a file is recognised as unchanged without reading it: what the system says of it. Opens
 * nothing.
 */
import type { BigIntStats } from 'node:fs';
import { sha256AsText, sha256OfText } from '../../base/hash.ts';

export const stampBytes = 16;
/** Device, inode, size, time of modification, time of change. */
const numbersOfFile = 5;
const sizeAt = 2;
const numberBytes = 8;
const saysBytes: number = numbersOfFile * numberBytes;

/**
 * What the system says of files, one after the other: another text whenever the content has been
 * written to or replaced, as far as it tells. Writing changes the times, and the time of change
 * (ctime) cannot be set by programs. Numbers in one piece of memory, as long as no text is asked
 * for: to make ten thousand takes half as long as to ask the system.
 */
export class SaidOfFiles {
  #numbers = new BigUint64Array(64 * numbersOfFile); // BOUNDED by filesMax
  #octets: Buffer = Buffer.from(this.#numbers.buffer);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): void {
    const at = this.#count++ * numbersOfFile;
    if (at === this.#numbers.length) this.#grow();
    const numbers = this.#numbers;
    numbers[at] = dev;
    numbers[at + 1] = ino;
    numbers[at + sizeAt] = size;
    numbers[at + 3] = mtimeNs;
    numbers[at + 4] = ctimeNs;
  }

  saysOf(file: number): string {
    return this.#octets.toString('latin1', file * saysBytes, (file + 1) * saysBytes);
  }

  /** Of the content. */
  bytesOf(file: number): number {
    return Number(this.#numbers[file * numbersOfFile + sizeAt]);
  }

  /** 32 bytes as text: of those from `first` on. */
  hashFrom(first: number): string {
    return sha256AsText(this.#octets.subarray(first * saysBytes, this.#count * saysBytes));
  }

  dropFrom(first: number): void {
    this.#count = first;
  }

  #grow(): void {
    const larger = new BigUint64Array(2 * this.#numbers.length);
    larger.set(this.#numbers);
    this.#numbers = larger;
    this.#octets = Buffer.from(larger.buffer);
  }
}

export function saysOf(stats: BigIntStats): string {
  one.add(stats);
  const says = one.saysOf(0);
  one.dropFrom(0);
  return says;
}

const one = new SaidOfFiles();

/**
 * 16 bytes as text: another one for another path, and for another `says`. To make two files alike
 * takes 2^64 tries, and whoever could write both might as well write the content.
 */
export function stampOf(path: string, says: string): string {
  return stampOfText(`${path}\0${says}`);
}

/** The same for a folder's path alone. */
export function pathStampOf(path: string): string {
  return stampOfText(path);
}

/** Another stamp whenever one of the folder's entries has another one, or is another one. */
export class FolderStamp {
  #text: string;

  constructor(path: string) {
    this.#text = `${path}\0`;
  }

  /** In the order in which the system lists them, which is the same while nothing changes. */
  addFile(name: string): void {
    this.#add(`f${name}\0`);
  }

  addFolder(name: string, stamp: string): void {
    this.#add(`d${name}\0${stamp}\0`);
  }

  /** `said`: the hash of what the system says of the files, in the same order. */
  finish(said: string): string {
    return stampOfText(this.#text + said);
  }

  /** What a large folder says is not kept: a hash of it is as good. */
  #add(entry: string): void {
    this.#text += entry;
    if (this.#text.length > foldedLength) this.#text = `${sha256OfText(this.#text)}\0`;
  }
}

const foldedLength = 64 * 1024;

function stampOfText(text: string): string {
  return sha256OfText(text).slice(0, stampBytes);
}

const secondNs = 1_000_000_000n;
/** The clock by which systems stamp files ticks every 1 to 16 ms; this is some ticks. */
const fineTicksMs = 100;
/** A file system with whole seconds may count them by twos. */
const coarseTicksMs = 4000;

/**
 * Whether content that is read at `readMs` (Unix milliseconds) and written to afterwards would get
 * another stamp: not if the last change was in the same tick of the clock.
 */
export function isSettled({ mtimeNs, ctimeNs }: BigIntStats, readMs: number): boolean {
  const changedNs = mtimeNs > ctimeNs ? mtimeNs : ctimeNs;
  const ticksMs = changedNs % secondNs === 0n ? coarseTicksMs : fineTicksMs;
  return Number(changedNs / 1_000_000n) + ticksMs < readMs;
}
