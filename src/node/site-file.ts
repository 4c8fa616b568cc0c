/** One file of a site, written to disk. */
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { CID } from 'multiformats/cid';
import type { Abortable } from '../base/abort.ts';
import { AltNetError } from '../base/errors.ts';
import { writeError } from '../base/whole-file.ts';
import type { SiteFile, SiteReader } from '../content/types.ts';

export interface SiteFilePlace {
  readonly root: CID;
  /** "a/b.html", decoded; a folder stands for its index.html, as in a browser. */
  readonly path: string;
  /** Must not exist. */
  readonly dest: string;
  readonly bytesMax: number;
}

/**
 * The bytes written. Rejects with CONTENT_NO_PATH, PATH_UNSUPPORTED, DISK_FULL, CONTENT_UNAVAILABLE
 * (also for a file of more bytes) …, and leaves nothing behind then.
 */
export async function writeSiteFile(
  sites: SiteReader,
  { root, path, dest, bytesMax }: SiteFilePlace,
  { signal }: Abortable = {},
): Promise<number> {
  const file = await openFile(sites, { root, path: path.replace(/\/$/, ''), signal });
  if (file.size > bytesMax) {
    const why = `${path} has ${file.size} bytes, more than the ${bytesMax} that were allowed`;
    throw new AltNetError('CONTENT_UNAVAILABLE', { root: root.toString(), why });
  }
  const output = createWriteStream(dest, { flags: 'wx' });
  let ours = false;
  output.once('open', () => (ours = true));
  try {
    await pipeline(Readable.from(file.read({ signal })), output, signal ? { signal } : {});
  } catch (error) {
    if (ours) await rm(dest, { force: true });
    signal?.throwIfAborted();
    throw writeError(dest, error);
  }
  return file.size;
}

async function openFile(
  sites: SiteReader,
  { root, path, signal }: { root: CID; path: string; signal: AbortSignal | undefined },
): Promise<SiteFile> {
  const entry = await sites.open(root, path, { signal });
  if (entry.type === 'file') return entry;
  const indexPath = path === '' ? 'index.html' : `${path}/index.html`;
  const index = await sites.open(root, indexPath, { signal });
  if (index.type === 'file') return index;
  throw new AltNetError('CONTENT_NO_PATH', { root: root.toString(), path: indexPath });
}
