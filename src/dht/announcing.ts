/**
 * Tells others of a record that they did not ask for: a few contacts by lot. What they do with it
 * is theirs to decide; who passes it on to whom makes it reach everybody who cares for it.
 */
import { type Bytes, equalBytes } from '../base/bytes.ts';
import type { Random } from '../base/clock.ts';
import type { Contact } from '../identity/contact.ts';
import type { Caller } from './table/caller.ts';
import type { TableView } from './table/table.ts';

/** How many are told: of a network in which most care, all but one in e^8 hear of it. */
export const announceWidth = 8;

export interface Announcing {
  readonly table: Pick<TableView, 'contacts'>;
  readonly caller: Caller;
  readonly random: Random;
  readonly signal: AbortSignal;
}

/** Resolves with how many have it now; `except`: the IDs of those who have it already. */
export async function announceRecord(
  { bytes }: { readonly bytes: Bytes },
  except: readonly Bytes[],
  { table, caller, random, signal }: Announcing,
): Promise<number> {
  const others = table
    .contacts()
    .filter(({ id }) => !except.some((known) => equalBytes(known, id)));
  const request = { method: 'announce', record: bytes } as const;
  const told = drawn(others, random).map((contact) => caller.call(contact, request, signal));
  const said = await Promise.allSettled(told);
  return said.filter(({ status }) => status === 'fulfilled').length;
}

/** So many of them, each as likely as any other. */
function drawn(contacts: readonly Contact[], random: Random): readonly Contact[] {
  return contacts
    .map((contact) => ({ contact, lot: random.fraction() }))
    .toSorted((a, b) => a.lot - b.lot)
    .slice(0, announceWidth)
    .map(({ contact }) => contact);
}
