/**
 * Which requests come from a page that has nothing to do with AltNet (docs/spec/http.md,
 * "Embedding"), as far as browsers tell. Pure.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { parseAuthority } from './host.ts';

/** As what a visit is loaded. Nothing else that a page can cause is a navigation to "empty". */
const visited: ReadonlySet<unknown> = new Set([
  'document',
  'empty', // by the site's own service worker, which was told of a visit
]);

/**
 * Whether a page elsewhere on the web has a browser load this without its user's going there: an
 * image, a script, a frame. `tld` is the ending of names.
 */
export function isEmbeddedElsewhere(headers: IncomingHttpHeaders, tld: string): boolean {
  const site = headers['sec-fetch-site'];
  if (site === 'same-origin' || site === 'same-site') return false;
  // A browser expects a visit. Whose page told it so, Chromium does not say: the site is "none".
  const isAhead = headers['sec-purpose'] !== undefined;
  if (!isAhead && site !== 'cross-site') return false;
  const isPage = headers['sec-fetch-mode'] === 'navigate' && visited.has(headers['sec-fetch-dest']);
  if (isPage && !isAhead) return false;
  const page = headers.origin ?? headers.referer; // neither can be chosen by a page
  return page === undefined || !isOurs(page, tld);
}

/** Whether it is a page of a site here, or of this machine itself. */
function isOurs(page: string, tld: string): boolean {
  const [, host] = /^https?:\/\/([^/?#]*)/i.exec(page) ?? [];
  const authority = parseAuthority(host, tld);
  const { target } = authority;
  switch (target.kind) {
    case 'gateway':
      return target.ending === 'localhost' || authority.host.endsWith(`.${tld}`);
    case 'name':
    case 'root':
      return true;
    case 'moved':
    case 'subdomain':
    case 'other-system':
    case 'foreign':
    case 'malformed':
      return false; // no page is shown under such a host
    default:
      return target satisfies never;
  }
}
