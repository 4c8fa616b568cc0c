/**
 * Which requests come from a page that has nothing to do with AltNet (docs/spec/http.md,
 * "Embedding"), as far as browsers tell. Pure.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { parseAuthority } from './host.ts';

/**
 * Whether a page elsewhere on the web has a browser load this without its user's going there: an
 * image, a script, a frame. `tld` is the ending of names.
 */
export function isEmbeddedElsewhere(headers: IncomingHttpHeaders, tld: string): boolean {
  if (headers['sec-fetch-site'] !== 'cross-site') return false;
  const isPage =
    headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  const isVisit = headers['sec-purpose'] === undefined; // else a browser expects that there is one
  if (isPage && isVisit) return false;
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
