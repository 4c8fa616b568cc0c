/**
 * Who counts as one visitor, and how that is made unrecognisable (docs/spec/stats.md, "Privacy").
 * Pure.
 */
import { createHmac } from 'node:crypto';
import { parseIp, scopeOf } from '../base/address.ts';
import { type Bytes, utf8 } from '../base/bytes.ts';
import { visitorHashBytes } from './visitor-sketch.ts';

export const saltBytes = 32;

/** A household has one /64 of IPv6, and its devices change their addresses in it all the time. */
const ipv6PrefixBytes = 8;

/**
 * What stands for the visitor of a site: without the salt nobody can tell whether it is that of an
 * address, nor whether one came to two sites.
 */
export function visitorHash({
  salt,
  name,
  ip,
}: {
  readonly salt: Bytes;
  readonly name: string;
  readonly ip: string;
}): Bytes {
  const hmac = createHmac('sha256', salt).update(name).update('\0').update(placeOf(ip));
  return new Uint8Array(hmac.digest()).subarray(0, visitorHashBytes);
}

/** An IPv4 address, the network of an IPv6 address, or the text of what is neither. */
function placeOf(text: string): Bytes {
  const ip = parseIp(text);
  if (!ip) return utf8(text);
  if (scopeOf(ip) === 'loopback') return utf8('this machine'); // browsers take ::1 or 127.0.0.1
  return ip.length === 4 ? ip : ip.subarray(0, ipv6PrefixBytes);
}
