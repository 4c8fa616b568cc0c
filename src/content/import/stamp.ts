/**
 * By what a file is recognised as unchanged without reading it: what the system says of it. Opens
 * nothing.
 */
import type { BigIntStats } from 'node:fs';
import { sha256OfText } from '../../base/hash.ts';

export const stampBytes = 16;

/**
 * 16 bytes as text: another one for another path, and whenever the content has been written to or
 * replaced, as far as the system tells: writing changes the times, and the time of change (ctime)
 * cannot be set by programs. To make two files alike takes 2^64 tries, and whoever could write both
 * might as well write the content.
 */
export function stampOf(path: string, stats: BigIntStats): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = stats;
  const text = `${path}\0${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
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
