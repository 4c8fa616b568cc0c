/** Compact contacts and addresses inside messages. It does not judge whether to use a contact. */
import { type Endpoint, mapIp, scopeOf, unmapIp } from '../base/address.ts';
import { type Contact, contactOf } from '../identity/contact.ts';
import type { Reader, Writer } from './octets.ts';

/** Tag 1, Ed25519 key 32, IP 4 or 16, port 2. */
export const contactBytes = { v4: 39, v6: 51 } as const;
/** More do not fit one datagram, and a lookup needs no more. */
export const contactsMax = 20;

const tagV4 = 4;
const tagV6 = 6;

/** Which address families an asker can reach. */
export interface Families {
  readonly v4: boolean;
  readonly v6: boolean;
}

export function compactBytes({ endpoint }: Contact): number {
  return endpoint.ip.length === 4 ? contactBytes.v4 : contactBytes.v6;
}

/** The longest run from the front, at most 20, of wanted families, that fits `room` octets. */
export function fitContacts(
  contacts: readonly Contact[],
  { room, want }: { room: number; want: Families },
): Contact[] {
  const fitting: Contact[] = [];
  let left = room;
  for (const contact of contacts) {
    if (!(contact.endpoint.ip.length === 4 ? want.v4 : want.v6)) continue;
    left -= compactBytes(contact);
    if (left < 0 || fitting.length === contactsMax) break;
    fitting.push(contact);
  }
  return fitting;
}

export function writeContacts(writer: Writer, contacts: readonly Contact[]): void {
  writer.u8(contacts.length);
  for (const contact of contacts) writeContact(writer, contact);
}

export function writeContact(writer: Writer, { publicKey, endpoint }: Contact): void {
  writer.u8(endpoint.ip.length === 4 ? tagV4 : tagV6);
  writer.bytes(publicKey).bytes(endpoint.ip).u16(endpoint.port);
}

/**
 * All contacts or a reason: one that is malformed shows a peer that makes things up, so none of
 * its contacts is used.
 */
export function readContacts(reader: Reader): Contact[] | 'count' | 'contact' | 'length' {
  const count = reader.u8();
  if (count > contactsMax) return 'count';
  const contacts: Contact[] = [];
  for (let i = 0; i < count; i++) {
    const contact = readContact(reader);
    if (typeof contact === 'string') return contact;
    contacts.push(contact);
  }
  return contacts;
}

export function readContact(reader: Reader): Contact | 'contact' | 'length' {
  const tag = reader.u8();
  const publicKey = reader.bytes(32);
  const ip = reader.bytes(tag === tagV6 ? 16 : 4);
  const port = reader.u16();
  if (!reader.complete) return 'length';
  if (tag !== tagV4 && tag !== tagV6) return 'contact';
  if (port === 0 || scopeOf(ip) === 'bogon') return 'contact';
  return contactOf(publicKey, { ip, port });
}

/** 18 octets: IPv6 or v4-mapped, then the port. */
export function writeAddress(writer: Writer, { ip, port }: Endpoint): void {
  writer.bytes(mapIp(ip)).u16(port);
}

/** Undefined for port 0 and for an address that no node can have. */
export function readAddress(reader: Reader): Endpoint | undefined {
  const ip = unmapIp(reader.bytes(16));
  const port = reader.u16();
  return reader.complete && port > 0 && scopeOf(ip) !== 'bogon' ? { ip, port } : undefined;
}
