/**
 * Whether a record is about something that is denied here: a name, or the holding of content. Of
 * links only their owner's node knows the URL; who stores them sees its hash.
 */
import type { Denials } from '../base/denial.ts';
import type { SignedRecord } from '../record/envelope.ts';
import { recordKinds } from '../record/kinds.ts';
import { keyName } from '../record/label.ts';
import { labelOf } from '../record/name.ts';
import { multihashOf } from '../record/provider.ts';

/** SHA-256 as a multihash: two octets before the hash. */
const multihashHeadBytes = 2;

export function deniesRecord(
  denials: Pick<Denials, 'ofName' | 'ofBlock'>,
  record: SignedRecord,
): boolean {
  const { kind, key, author } = record;
  if (kind === recordKinds.provider) {
    const hash = multihashOf(record)?.subarray(multihashHeadBytes);
    return hash !== undefined && denials.ofBlock(hash) !== undefined;
  }
  const label = kind === recordKinds.pkName ? keyName(author) : labelOf(record);
  return label !== undefined && denials.ofName({ label, key }) !== undefined;
}
