/**
 * By what a file is recognised as unchanged without reading it: what the system says of it. Opens
 * nothing.
 */
import type { BigIntStats } from 'node:fs';
import { sha256OfText } from '../../base/hash.ts';

export const stampBytes = 16;

/**
 * Another text whenever the content has been written to or replaced, as far as the system tells:
 * writing changes the times, and the time of change (ctime) cannot be set by programs.
 */
export function saysOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  // Joined: a template would be kept as nine strings that refer to each other, 400 bytes, not 90.
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}

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
  addFile(name: string, says: string): void {
    this.#add(`f${name}\0${says}\0`);
  }

  addFolder(name: string, stamp: string): void {
    this.#add(`d${name}\0${stamp}\0`);
  }

  finish(): string {
    return stampOfText(this.#text);
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
