/** What a path means on a site: a file, a folder's index or list, the site's own 404 page. */
import type { CID } from 'multiformats/cid';
import { isDenied } from '../base/denial.ts';
import { isAltNetError } from '../base/errors.ts';
import type { SiteEntry, SiteFile, SiteFolder, SiteReader } from '../content/types.ts';
import type { SitePath } from './path.ts';

export type Found =
  /** `name`: the file's own, for its type; '' for a root that is a file. */
  | { readonly kind: 'file'; readonly file: SiteFile; readonly name: string }
  | { readonly kind: 'folder'; readonly folder: SiteFolder }
  /** A folder asked for without its slash: relative links in it would lead astray. */
  | { readonly kind: 'needs-slash' }
  /** `page`: the site's 404.html, if it has one. */
  | { readonly kind: 'missing'; readonly page: SiteFile | undefined };

const indexName = 'index.html';
export const missingName = '404.html';

interface Site {
  readonly sites: SiteReader;
  readonly root: CID;
  readonly signal: AbortSignal;
  /** What of a file is read first. */
  readonly range?: { readonly from: number; readonly to: number } | undefined;
}

/** Rejects like SiteReader.open, but for CONTENT_NO_PATH. */
export async function findOnSite(site: Site, { segments, slash }: SitePath): Promise<Found> {
  const path = segments.join('/');
  const isFolder = slash || path === '';
  // The index first: that is what a folder is mostly asked for, in one step instead of two.
  const index = isFolder ? await openFile(site, [...segments, indexName].join('/')) : undefined;
  if (index) return { kind: 'file', file: index, name: indexName };
  const entry = await open(site, path);
  if (entry?.type === 'folder') {
    return isFolder ? { kind: 'folder', folder: entry } : { kind: 'needs-slash' };
  }
  if (entry && (path === '' || !slash)) {
    return { kind: 'file', file: entry, name: segments.at(-1) ?? '' };
  }
  return { kind: 'missing', page: await openMissingPage({ ...site, range: undefined }) };
}

/** A site whose own page is denied has none: what was asked for is missing all the same. */
async function openMissingPage(site: Site): Promise<SiteFile | undefined> {
  try {
    return await openFile(site, missingName);
  } catch (error) {
    if (isDenied(error)) return undefined;
    throw error;
  }
}

async function openFile(site: Site, path: string): Promise<SiteFile | undefined> {
  const entry = await open(site, path);
  return entry?.type === 'file' ? entry : undefined;
}

async function open(
  { sites, root, signal, range }: Site,
  path: string,
): Promise<SiteEntry | undefined> {
  try {
    return await sites.open(root, path, { signal, range });
  } catch (error) {
    if (isAltNetError(error, 'CONTENT_NO_PATH')) return undefined;
    throw error;
  }
}
