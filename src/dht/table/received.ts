/**
 * Which contacts of a reply are used. A peer may list a victim's address twenty times or the
 * addresses of our own private network: these rules keep it from aiming our requests.
 */
import { samePrefix, type Scope, scopeOf } from '../../base/address.ts';
import { equalBytes } from '../../base/bytes.ts';
import type { Contact } from '../../identity/contact.ts';

/** As many as fit a reply. */
const contactsMax = 20;
/** Below are the ports of other services. */
const globalPortMin = 1024;
const perPrefixMax = 2;

/**
 * Those of `contacts` that may be asked. `from` sent them: nodes hand on contacts of the asker's
 * own scope, and neighbours those of the Internet, so any other scope is a mistake or a trick.
 */
export function usableContacts(from: Contact, contacts: readonly Contact[]): readonly Contact[] {
  const scope = scopeOf(from.endpoint.ip);
  const known = contacts.slice(0, contactsMax).filter(({ endpoint }) => endpoint.port > 0);
  const of = (wanted: Scope): Contact[] =>
    known.filter(({ endpoint }) => scopeOf(endpoint.ip) === wanted);
  if (scope === 'global') return diverse(of('global'));
  return scope === 'private' ? [...of('private'), ...diverse(of('global'))] : of(scope);
}

/** One per address, two per /24 or /48: an operator with few addresses gets few requests. */
function diverse(contacts: readonly Contact[]): readonly Contact[] {
  const used: Contact[] = []; // BOUNDED by contactsMax
  for (const contact of contacts) {
    const { ip, port } = contact.endpoint;
    let near = 0;
    let isRepeated = false;
    for (const { endpoint } of used) {
      if (!samePrefix(endpoint.ip, ip, 'narrow')) continue;
      near++;
      isRepeated ||= equalBytes(endpoint.ip, ip);
    }
    if (port >= globalPortMin && near < perPrefixMax && !isRepeated) used.push(contact);
  }
  return used;
}
