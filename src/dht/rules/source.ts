/** Where a record came from, as far as limits go by it. */
import { prefixOf, scopeOf } from '../../base/address.ts';
import { type Bytes, parseHex } from '../../base/bytes.ts';

/** What this node's own users publish. */
export const ownSource = '';

const pulledMark = 'sync ';

/** Who sent it to be stored here: the network of its address. */
export function sourceOf(ip: Bytes): string {
  return prefixOf(ip, 'narrow');
}

/** Who gave it to us when we asked: mostly not where it came from first. */
export function pulledFrom(ip: Bytes): string {
  return pulledMark + sourceOf(ip);
}

/**
 * Whether a source may have only so much of the store. A home network, or a test on one machine, is
 * a single prefix with many honest nodes; nobody outside can send from there.
 */
export function isLimited(source: string): boolean {
  if (source === ownSource) return false;
  const [length = '', prefix = ''] = source.replace(pulledMark, '').split(':');
  const ip = new Uint8Array(Number(length) === 16 ? 16 : 4);
  ip.set((parseHex(prefix) ?? new Uint8Array()).subarray(0, ip.length));
  return scopeOf(ip) === 'global';
}

/**
 * Whether a source is one of the Internet that sent its record by itself: its pace counts, and its
 * share of a key. What a neighbour hands on is from many, and came because we asked.
 */
export function isSender(source: string): boolean {
  return !source.startsWith(pulledMark) && isLimited(source);
}
