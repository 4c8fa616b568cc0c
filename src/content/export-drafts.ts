/**
 * Where an export is written before it is whole: beside its destination, so that it only has to be
 * renamed. A draft that a killed export has left is known by the form of its name alone, and goes
 * once nobody has written to it for an hour. It reads no content.
 */
import { randomBytes } from 'node:crypto';
import { lstat, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { toHex } from '../base/bytes.ts';

const idleMs = 3_600_000;
/** Whoever finds more than an export writes leaves it alone. */
const entriesMax = 500_000;

/** A name beside `target` that nobody has yet. */
export function draftOf(target: string): string {
  return `${target}.${toHex(randomBytes(6))}.part`;
}

/** Removes drafts of `target` that nobody writes any more. What cannot be removed stays. */
export async function removeOldDrafts(target: string, nowMs: number = Date.now()): Promise<void> {
  const folder = path.dirname(target);
  const start = `${path.basename(target)}.`;
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const isDraft = name.startsWith(start) && /^[0-9a-f]{12}\.part$/.test(name.slice(start.length));
    if (!isDraft) continue;
    const at = path.join(folder, name);
    try {
      if (await isIdle(at, nowMs - idleMs)) await rm(at, { recursive: true, force: true });
    } catch {
      // It is somebody else's, or going already.
    }
  }
}

/** Whether neither it nor anything in it was changed since. What grows is new all the time. */
async function isIdle(at: string, sinceMs: number): Promise<boolean> {
  const left = [at]; // BOUNDED by entriesMax
  for (let seen = 0; ; seen++) {
    const next = left.pop();
    if (next === undefined) return true;
    const found = await lstat(next);
    if (found.mtimeMs > sinceMs || seen + left.length > entriesMax) return false;
    if (!found.isDirectory()) continue;
    for (const name of await readdir(next)) left.push(path.join(next, name));
  }
}
