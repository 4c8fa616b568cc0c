/**
 * Who may call the API: whoever knows the token and addresses this node by a name that no foreign
 * web page can take. Knows nothing of routes.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { asBuffer, utf8 } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';

/** Whether an Authorization header carries the token. Takes as long for a near miss as for any. */
export function carriesToken(authorization: string | undefined, token: string): boolean {
  const [, given = ''] = /^Bearer +(\S{1,1024})$/i.exec(authorization ?? '') ?? [];
  return timingSafeEqual(asBuffer(sha256(utf8(given))), asBuffer(sha256(utf8(token))));
}

/**
 * Whether a request may change something as far as pages in browsers go: one that names an origin
 * comes from a page, and none but the API's own has anything to do here. Browsers add the headers
 * that say so, and no page can take them away.
 */
export function isOwnOrigin(headers: IncomingHttpHeaders): boolean {
  const { origin, host } = headers;
  if (origin !== undefined && origin !== `http://${host}`) return false;
  const site = headers['sec-fetch-site'];
  return site === undefined || site === 'same-origin' || site === 'none';
}

/** Of these, two would leave it to chance which one counts. */
const onceOnly: ReadonlySet<string> = new Set([
  'host',
  'authorization',
  'origin',
  'content-type',
  'content-encoding',
]);

/** The name of a header that stands there twice though it may not. */
export function doubledHeader(rawHeaders: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]?.toLowerCase() ?? '';
    if (!onceOnly.has(name)) continue;
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}
