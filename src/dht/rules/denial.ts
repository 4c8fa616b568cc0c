/**
 * Records about what is denied here. What is denied, others know (docs/spec/trust.md); this says
 * what follows for a storer.
 */
import type { SignedRecord } from '../../record/envelope.ts';
import { isVoted } from './ownership.ts';

/**
 * subject: a record of what is denied itself. target: one that leads there, such as a name whose
 * site is denied.
 */
export type RecordDenial = 'subject' | 'target';

/** Undefined: nothing is against it. Asked for every record that is taken or handed out. */
export type RecordDenials = (record: SignedRecord) => RecordDenial | undefined;

/**
 * Whether a held record goes. A name whose site is denied is still its owner's: it is handed to
 * nobody, and keeps others from taking the name.
 */
export function mustGo(record: SignedRecord, denial: RecordDenial | undefined): boolean {
  return denial === 'subject' || (denial === 'target' && !isVoted(record));
}
