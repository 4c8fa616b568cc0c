/**
 * Tries the alternatives for a URL one after the other until one can be downloaded and is what it
 * should be. http and https this process downloads itself: a node that fetched any address for
 * whoever may use its API would open the network around it. Sites under .alt the node fetches.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { FoundLinkLine } from '../../api/ports-links.ts';
import type { NodeServices } from '../../api/ports.ts';
import { AltNetError, isAltNetError } from '../../base/errors.ts';
import { type Downloaded, download, type DownloadOptions } from './download.ts';
import { draftNameOf, finishDraft } from './draft-file.ts';

/** The `--json` object of a download that worked. */
export interface FetchedLink {
  /** The target that worked. */
  fetched: string;
  publisher: string;
  bytes: number;
  sha256: string;
  /** Whether its publisher told the SHA-256, and it is that. */
  verified: boolean;
  path: string;
}

export interface AttemptOptions extends Omit<DownloadOptions, 'onBytes'> {
  readonly services: Pick<NodeServices, 'fetchFile'>;
  /** Where the file is to be; nothing is there. */
  readonly file: string;
  /** Why an alternative was passed over. */
  readonly onFailure: (link: FoundLinkLine, why: string) => void;
  readonly onBytes: (link: FoundLinkLine, bytes: number, bytesTotal: number | undefined) => void;
}

/** Undefined when none worked. Rejects when the place is taken, the disk full, or on abort. */
export async function fetchFirst(
  ranked: readonly FoundLinkLine[],
  options: AttemptOptions,
): Promise<FetchedLink | undefined> {
  // What was found at a target: its SHA-256, or undefined for nothing. BOUNDED by the links
  const seen = new Map<string, string | undefined>();
  for (const link of ranked) {
    options.signal.throwIfAborted();
    if (seen.has(link.target) && seen.get(link.target) === undefined) continue;
    const draft = draftNameOf(options.file);
    try {
      requireSame(link, seen.get(link.target));
      requireSmall(link, options.bytesMax);
      seen.set(link.target, undefined);
      const { bytes, sha256 } = await fetchTo(draft, link, options);
      seen.set(link.target, sha256);
      requireSame(link, sha256);
      await finishDraft(draft, options.file);
      const { target, publisher } = link;
      const verified = link.sha256 !== undefined;
      return { fetched: target, publisher, bytes, sha256, verified, path: options.file };
    } catch (error) {
      if (!isOfTheLink(error)) throw error;
      options.onFailure(link, error.message);
    } finally {
      await rm(draft, { force: true });
    }
  }
  return undefined;
}

/** Whether this program can try it at all. */
export function isDownloadable({ target }: Pick<FoundLinkLine, 'target'>): boolean {
  const protocol = URL.parse(target)?.protocol;
  return protocol === 'http:' || protocol === 'https:';
}

/** Whether another alternative may do better; else it is the disk, the place or the user. */
function isOfTheLink(error: unknown): error is AltNetError {
  return (
    isAltNetError(error) &&
    !['ABORTED', 'DISK_FULL', 'PATH_UNSUPPORTED', 'NO_NODE', 'UNAUTHORIZED'].includes(error.code)
  );
}

async function fetchTo(
  draft: string,
  link: FoundLinkLine,
  options: AttemptOptions,
): Promise<Downloaded> {
  const { target } = link;
  if (!isDownloadable(link)) {
    const scheme = target.replace(/:.*/s, '');
    throw failed(target, `${scheme}: is for another program; open it yourself`);
  }
  const url = new URL(target);
  if (/(^|\.)alt\.?$/.test(url.hostname)) return fetchSite(draft, url, options);
  const onBytes: DownloadOptions['onBytes'] = (bytes, bytesTotal) =>
    options.onBytes(link, bytes, bytesTotal);
  return download(target, draft, { ...options, onBytes });
}

/** Its publisher told another SHA-256 than what was found there has, if something was. */
function requireSame({ target, sha256 }: FoundLinkLine, found: string | undefined): void {
  if (sha256 === undefined || found === undefined || sha256 === found) return;
  throw failed(target, 'what is there is not what its publisher signed: the SHA-256 differs');
}

function requireSmall({ target, size }: FoundLinkLine, bytesMax: number): void {
  if (size === undefined || size <= bytesMax) return;
  throw failed(target, `its publisher says that it has ${size} bytes; allow them with --max-bytes`);
}

async function fetchSite(draft: string, url: URL, options: AttemptOptions): Promise<Downloaded> {
  const { services, bytesMax, signal } = options;
  const what = url.hostname.replace(/\.$/, '');
  const path = decodePath(url);
  await services.fetchFile({ what, path, dest: draft, bytesMax }, { signal });
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(draft) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    hash.update(chunk);
  }
  return { bytes, sha256: hash.digest('hex') };
}

function decodePath({ href, pathname }: URL): string {
  try {
    return decodeURIComponent(pathname).replace(/^\//, '');
  } catch {
    throw failed(href, 'its path is not UTF-8');
  }
}

function failed(url: string, why: string): AltNetError<'DOWNLOAD_FAILED'> {
  return new AltNetError('DOWNLOAD_FAILED', { url, why });
}
