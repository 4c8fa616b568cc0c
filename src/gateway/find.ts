/**
 * What a path means on a site: a file, a folder's index or list, a page without its ending, what
 * the site's redirects say, its own 404 page; in this order (docs/spec/http.md, "Paths").
 */
import type { CID } from 'multiformats/cid';
import { isDenied } from '../base/denial.ts';
import { isAltNetError } from '../base/errors.ts';
import type { SiteEntry, SiteFile, SiteFolder, SiteReader } from '../content/types.ts';
import { formatPath, type SitePath } from './path.ts';
import {
  type BadRedirects,
  followRedirects,
  type Hit,
  isBadRedirects,
  type PageStatus,
  type Redirects,
  type RedirectStatus,
  redirectsName,
} from './redirects.ts';
import { leadsInCircle, type SiteRedirects } from './site-redirects.ts';

export type Found =
  | FoundFile
  | FoundFolder
  /** Elsewhere on the web, or on this site. */
  | { readonly kind: 'moved'; readonly status: RedirectStatus; readonly location: string }
  /** `page`: what the site shows instead, if anything. */
  | {
      readonly kind: 'missing';
      readonly status: Exclude<PageStatus, 200>;
      readonly page: FoundFile | undefined;
    }
  /** Its redirects cannot be read, or lead nowhere. */
  | { readonly kind: 'bad-redirects'; readonly bad: BadRedirects }
  | { readonly kind: 'circle' };

export interface FoundFile {
  readonly kind: 'file';
  readonly file: SiteFile;
  /** Where it stands; '' for a root that is a file. */
  readonly path: string;
  /** It was asked for by another path, of which there may be any number. */
  readonly isRewritten?: true;
}

export interface FoundFolder {
  readonly kind: 'folder';
  readonly folder: SiteFolder;
  readonly segments: readonly string[];
}

const indexName = 'index.html';
const missingName = '404.html';
const pageEnding = '.html';

export interface Site {
  readonly sites: SiteReader;
  readonly root: CID;
  readonly signal: AbortSignal;
  /** What of a file is read first. */
  readonly range?: { readonly from: number; readonly to: number } | undefined;
}

/** Rejects like SiteReader.open, but for CONTENT_NO_PATH. */
export async function findOnSite(
  site: Site,
  path: SitePath,
  siteRedirects: SiteRedirects,
): Promise<Found> {
  const there = await findThere(site, path);
  if (there && there.kind !== 'folder') return there;
  const other = { ...site, range: undefined };
  const openRedirects = (): Promise<SiteFile | undefined> => openOptional(other, redirectsName);
  const redirects = await siteRedirects.of(site.root, openRedirects, site.signal);
  if (!isBadRedirects(redirects)) {
    const hit = followRedirects(redirects, path);
    if (hit) return followHit(other, redirects, hit);
  } else if (!there) {
    return { kind: 'bad-redirects', bad: redirects };
  }
  return there ?? { kind: 'missing', status: 404, page: await findPage(other, missingName) };
}

/** What exists at a path, or at that of a page without its ending. */
async function findThere(
  site: Site,
  path: SitePath,
): Promise<Extract<Found, { kind: 'file' | 'folder' | 'moved' }> | undefined> {
  const { segments, slash } = path;
  const text = segments.join('/');
  const isFolder = slash || text === '';
  // The index first: that is what a folder is mostly asked for, in one step instead of two.
  const indexPath = [...segments, indexName].join('/');
  const index = isFolder ? await openFile(site, indexPath) : undefined;
  if (index) return { kind: 'file', file: index, path: indexPath };
  const entry = await open(site, text);
  if (entry?.type === 'folder') {
    if (isFolder) return { kind: 'folder', folder: entry, segments };
    // Relative links in a folder that has no slash would lead astray.
    return { kind: 'moved', status: 308, location: formatPath({ ...path, slash: true }) };
  }
  if (entry && (text === '' || !slash)) return { kind: 'file', file: entry, path: text };
  if (entry || text === '' || text.endsWith(pageEnding)) return undefined;
  const pagePath = `${text}${pageEnding}`;
  const page = await openFile(site, pagePath);
  if (!page) return undefined;
  // The same with a slash that does not belong there.
  if (slash) return { kind: 'moved', status: 308, location: formatPath({ ...path, slash: false }) };
  return { kind: 'file', file: page, path: pagePath };
}

async function followHit(site: Site, redirects: Redirects, hit: Hit): Promise<Found> {
  if (hit.kind === 'page') return findTarget(site, hit);
  const { status, location, path } = hit;
  const exists = async (place: SitePath): Promise<boolean> =>
    (await findThere(site, place)) !== undefined;
  if (path && (await leadsInCircle(redirects, path, exists))) return { kind: 'circle' };
  return { kind: 'moved', status, location };
}

/** What a rule shows in place of the path. No rule is followed from there on. */
async function findTarget(
  site: Site,
  { path, status }: Extract<Hit, { kind: 'page' }>,
): Promise<Found> {
  const there = await findThere(site, path);
  const target = there?.kind === 'moved' ? await findThere(site, toggled(path)) : there;
  if (target?.kind === 'file') {
    const page: FoundFile = { ...target, isRewritten: true };
    return status === 200 ? page : { kind: 'missing', status, page };
  }
  if (status !== 200) return { kind: 'missing', status, page: undefined };
  return { kind: 'missing', status: 404, page: await findPage(site, missingName) };
}

function toggled(path: SitePath): SitePath {
  return { ...path, slash: !path.slash };
}

async function findPage(site: Site, path: string): Promise<FoundFile | undefined> {
  const file = await openOptional(site, path);
  return file && { kind: 'file', file, path };
}

/** What is denied is as good as absent: nobody asked for it by its path. */
export async function openOptional(site: Site, path: string): Promise<SiteFile | undefined> {
  try {
    return await openFile(site, path);
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
