/** Whether the data and the key folder can be used, by this user and by nobody else. */
import { randomUUID } from 'node:crypto';
import type { Stats } from 'node:fs';
import { access, constants, open, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { systemCode } from '../../base/errors.ts';
import { type Check, fail, type Finding, ok, warn } from './finding.ts';

export const folders: Check = {
  name: 'folders',
  async run({ folders: { data, keydir } }) {
    return [await inspectFolder('data', data), await inspectFolder('key', keydir)];
  },
};

async function inspectFolder(kind: 'data' | 'key', folder: string): Promise<Finding> {
  const name = `the ${kind} folder ${folder}`;
  const other = `choose another one with --${kind === 'data' ? 'data' : 'keydir'}`;
  let info: Stats;
  try {
    info = await stat(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return inspectMissing(folder, { name, other });
    return unusable(error, { name, folder, other });
  }
  if (!info.isDirectory()) return fail(`${name} is a file`, `move the file away, or ${other}`);
  try {
    await tryWriting(folder);
  } catch (error) {
    return unusable(error, { name, folder, other });
  }
  // Windows has no such bits; there the access list of the profile protects what is in it.
  const isOpen = process.platform !== 'win32' && (info.mode & 0o077) !== 0;
  if (!isOpen) return ok(`${name} is there and can be written`);
  const mode = (info.mode & 0o777).toString(8);
  return warn(`${name} is open to other users (mode ${mode})`, `run: chmod 700 ${folder}`);
}

function unusable(
  error: unknown,
  { name, folder, other }: { name: string; folder: string; other: string },
): Finding {
  const code = systemCode(error) ?? 'unknown';
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return fail(`${name} is on a full disk`, `free some space, or ${other}`);
    case 'EROFS':
      return fail(`${name} is on a read-only disk`, `have it mounted for writing, or ${other}`);
    case 'ENOTDIR':
      return fail(`${name} has a file where a folder should be`, `move the file away, or ${other}`);
    default: {
      const own = `let your user write it, with: sudo chown -R "$USER" ${folder}`;
      return fail(`${name} cannot be written (${code})`, `${own}, or ${other}`);
    }
  }
}

/** Made at the first start, if the folder above allows it. */
async function inspectMissing(
  folder: string,
  { name, other }: { name: string; other: string },
): Promise<Finding> {
  let above = path.dirname(folder);
  for (;;) {
    try {
      await access(above, constants.W_OK | constants.X_OK);
      return ok(`${name} does not exist yet; the first start makes it`);
    } catch (error) {
      const next = path.dirname(above);
      const why = systemCode(error) ?? 'unknown';
      if (why === 'EROFS') return unusable(error, { name, folder, other });
      if (why !== 'ENOENT' || next === above) {
        return fail(`${name} cannot be made in ${above} (${why})`, `make it yourself, or ${other}`);
      }
      above = next;
    }
  }
}

/** Permissions do not tell of disks that are full or read-only; a file does. */
async function tryWriting(folder: string): Promise<void> {
  const file = path.join(folder, `doctor-${randomUUID()}.draft`);
  try {
    await using handle = await open(file, 'wx', 0o600);
    await handle.writeFile('altnet doctor\n');
  } finally {
    await rm(file, { force: true });
  }
}
