/** Drawing nodes by lot such that no two are of one network: what one operator says counts once. */
import { prefixOf, scopeOf } from '../../base/address.ts';
import type { Random } from '../../base/clock.ts';
import type { Contact } from '../../identity/contact.ts';

/** Whether REACH can be about this contact: global, and of this family. */
export function isGlobal({ endpoint: { ip } }: Contact, ipBytes: number): boolean {
  return ip.length === ipBytes && scopeOf(ip) === 'global';
}

/** Up to `count` of `contacts` from as many /16 (IPv6 /32), none of them from `without`. */
export function drawDiverse(
  contacts: readonly Contact[],
  {
    count,
    without = [],
    random,
  }: { count: number; without?: readonly Contact[]; random: Pick<Random, 'fraction'> },
): readonly Contact[] {
  const used = new Set(without.map(networkOf)); // BOUNDED by `without` and count
  const left = [...contacts];
  const drawn: Contact[] = [];
  while (drawn.length < count && left.length > 0) {
    const [contact] = left.splice(Math.floor(random.fraction() * left.length), 1);
    if (!contact || used.has(networkOf(contact))) continue;
    used.add(networkOf(contact));
    drawn.push(contact);
  }
  return drawn;
}

export function networkOf({ endpoint }: Contact): string {
  return prefixOf(endpoint.ip, 'wide');
}
