/**
 * Who may call the API: whoever knows the token and addresses this node by a name that no foreign
 * web page can take. Knows nothing of routes.
 */
import { timingSafeEqual } from 'node:crypto';
import { parseHostPort, parseIp, scopeOf } from '../base/address.ts';
import { asBuffer, utf8 } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';

/** Whether an Authorization header carries the token. Takes as long for a near miss as for any. */
export function carriesToken(authorization: string | undefined, token: string): boolean {
  const [, given = ''] = /^Bearer +(\S{1,1024})$/i.exec(authorization ?? '') ?? [];
  return timingSafeEqual(asBuffer(sha256(utf8(given))), asBuffer(sha256(utf8(token))));
}

/**
 * Whether a Host header names this node: a loopback name or address, or the very address that the
 * connection came in on. Any other name may be a foreign site's that was pointed here (DNS
 * rebinding) to get at the API with the browser's help.
 */
export function isOwnHost(
  header: string | undefined,
  own: { readonly boundHost: string; readonly localAddress: string | undefined },
): boolean {
  const name = (header ?? '').toLowerCase();
  const host = parseHostPort(name.includes(':') && !name.endsWith(']') ? name : `${name}:0`)?.host;
  if (host === undefined || host === '') return false;
  if (host === 'localhost' || host === own.boundHost.toLowerCase()) return true;
  const ip = parseIp(host);
  if (ip === undefined) return false;
  const local = own.localAddress === undefined ? undefined : parseIp(own.localAddress);
  return scopeOf(ip) === 'loopback' || (local !== undefined && asBuffer(ip).equals(local));
}
