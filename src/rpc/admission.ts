/** Which contacts of a reply may be used at all (docs/spec/packets.md, "Contact injection"). Pure. */
import { type Endpoint, formatIp, prefixOf, type Scope, scopeOf } from '../base/address.ts';
import type { Contact } from '../identity/contact.ts';

const perPrefixMax = 2;
/** Ports below belong to services that must not be hit with datagrams on a stranger's word. */
const portMin = 1024;

const width: Readonly<Record<Scope, number>> = { bogon: 0, loopback: 1, private: 2, global: 3 };

/**
 * The contacts to keep, in their order. A contact whose scope is narrower than the answerer's is
 * dropped: a node out there has no business naming addresses of this host or of its LAN. Of global
 * addresses, one contact per IP and two per /24 or /48 remain, with ports from 1024 on.
 */
export function admitContacts(contacts: readonly Contact[], answerer: Endpoint): Contact[] {
  const least = width[scopeOf(answerer.ip)];
  const addresses = new Set<string>(); // BOUNDED by the contacts of one reply
  const prefixes = new Map<string, number>(); // BOUNDED by the contacts of one reply
  return contacts.filter(({ endpoint: { ip, port } }) => {
    const scope = scopeOf(ip);
    if (width[scope] < least) return false;
    if (scope !== 'global') return true;
    const address = formatIp(ip);
    const prefix = prefixOf(ip, 'narrow');
    const inPrefix = prefixes.get(prefix) ?? 0;
    if (port < portMin || addresses.has(address) || inPrefix >= perPrefixMax) return false;
    addresses.add(address);
    prefixes.set(prefix, inPrefix + 1);
    return true;
  });
}
