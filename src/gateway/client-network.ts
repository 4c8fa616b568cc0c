/** Whom the limits on clients take for one of them. Pure. */
import { parseIp, scopeOf } from '../base/address.ts';
import { toHex } from '../base/bytes.ts';

/**
 * An IPv4 address, or the /64 of an IPv6 one: within it a client may choose what it likes.
 * Undefined for this machine itself, which is not limited, unless it is to be.
 */
export function clientNetworkOf(
  address: string,
  { limitsLoopback }: { readonly limitsLoopback: boolean },
): string | undefined {
  const ip = parseIp(address);
  if (ip === undefined) return address;
  if (!limitsLoopback && scopeOf(ip) === 'loopback') return undefined;
  return toHex(ip.length === 4 ? ip : ip.subarray(0, 8));
}
