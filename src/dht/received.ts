/**
 * Which contacts of a reply are used. A peer may list a victim's address twenty times or the
 * addresses of our own private network: these rules keep it from aiming our requests.
 */
import { prefixOf, scopeOf } from '../base/address.ts';
import { toHex } from '../base/bytes.ts';
import type { Contact } from '../identity/contact.ts';

/** As many as fit a reply. */
const contactsMax = 20;
/** Below are the ports of other services. */
const globalPortMin = 1024;
const perPrefixMax = 2;

/**
 * Those of `contacts` that may be asked. `from` sent them: nodes hand on only contacts of the
 * asker's own scope, so what another scope turns up in is a mistake or a trick.
 */
export function usableContacts(from: Contact, contacts: readonly Contact[]): readonly Contact[] {
  const scope = scopeOf(from.endpoint.ip);
  const inScope = contacts
    .slice(0, contactsMax)
    .filter(({ endpoint }) => endpoint.port > 0 && scopeOf(endpoint.ip) === scope);
  return scope === 'global' ? diverse(inScope) : inScope;
}

/** One per address, two per /24 or /48: an operator with few addresses gets few requests. */
function diverse(contacts: readonly Contact[]): readonly Contact[] {
  const addresses = new Set<string>(); // BOUNDED by contactsMax
  const prefixes = new Map<string, number>(); // BOUNDED by contactsMax
  return contacts.filter(({ endpoint: { ip, port } }) => {
    const address = toHex(ip);
    const prefix = prefixOf(ip, 'narrow');
    const inPrefix = prefixes.get(prefix) ?? 0;
    if (port < globalPortMin || addresses.has(address) || inPrefix >= perPrefixMax) return false;
    addresses.add(address);
    prefixes.set(prefix, inPrefix + 1);
    return true;
  });
}
