/** Who should hold a key. */
import type { Bytes } from '../../base/bytes.ts';
import type { Contact } from '../../identity/contact.ts';
import { compareDistance, distanceShare } from '../distance.ts';

/** So many known nodes nearer to a key than we are show that it is none of ours. */
const nearerMin = 60;

/**
 * Whether a record under `key` is refused with NOT_CLOSE: when we stand more than twice as far from
 * it as its k holders should, and know enough nodes that are nearer. Both, because the estimate may
 * be wrong and the table may be poor. The contacts are asked for only when they matter.
 */
export function isTooFar(
  key: Bytes,
  {
    self,
    contacts,
    networkSize,
    k,
  }: { self: Bytes; contacts: () => readonly Contact[]; networkSize: number; k: number },
): boolean {
  if (distanceShare(self, key) <= (2 * k) / networkSize) return false;
  const nearer = contacts().filter(({ id }) => compareDistance(key, id, self) < 0);
  return nearer.length >= nearerMin;
}
