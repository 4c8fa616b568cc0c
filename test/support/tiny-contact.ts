/** Contacts with IDs of one byte, so that tests of routing can be read by eye. */
import type { Contact } from '../../src/identity/contact.ts';

/** The ID is `id` itself; the address 127.0.0.`id`. */
export function tinyContact(id: number): Contact {
  return {
    id: Uint8Array.of(id),
    publicKey: Uint8Array.of(id),
    endpoint: { ip: Uint8Array.of(127, 0, 0, id), port: 9000 },
  };
}

export function tinyIds(contacts: readonly Contact[]): (number | undefined)[] {
  return contacts.map(({ id }) => id[0]);
}
