/** Where a record came from, as far as limits go by it. */
import { prefixOf, scopeOf } from '../../base/address.ts';
import { type Bytes, parseHex } from '../../base/bytes.ts';

/** What this node's own users publish. */
export const ownSource = '';

export function sourceOf(ip: Bytes): string {
  return prefixOf(ip, 'narrow');
}

/**
 * Whether a source has limits of its own. A home network, or a test on one machine, is a single
 * prefix with many honest nodes; nobody outside can send from there.
 */
export function isLimited(source: string): boolean {
  if (source === ownSource) return false;
  const [length = '', prefix = ''] = source.split(':');
  const ip = new Uint8Array(Number(length) === 16 ? 16 : 4);
  ip.set((parseHex(prefix) ?? new Uint8Array()).subarray(0, ip.length));
  return scopeOf(ip) === 'global';
}
