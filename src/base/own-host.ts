/** Which Host headers name this node: for what must not be reached through a foreign name. Pure. */
import { parseHostPort, parseIp, scopeOf } from './address.ts';
import { asBuffer } from './bytes.ts';

/**
 * Whether a Host header names this node: a loopback name or address, or the very address that the
 * connection came in on. Any other name may be a foreign site's that was pointed here (DNS
 * rebinding) to get at it with a browser's help.
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
