/**
 * Whether a record is about something that is denied here, a name or the holding of content, or
 * leads to it. Of a link only its target can be asked for: its URL stands in it as a hash. What
 * follows, the DHT knows.
 */
import type { Denials } from '../base/denial.ts';
import type { RecordDenial } from '../dht/rules/denial.ts';
import { deniedTarget, type TargetDenials } from '../link/denied-target.ts';
import type { SignedRecord } from '../record/envelope.ts';
import { recordKinds } from '../record/kinds.ts';
import { keyName } from '../record/label.ts';
import { labelIn, linkTargetIn, providedHashIn, rootHashesIn } from '../record/subjects.ts';

/** Withdrawals are never denied: they hand nothing out, and take back what was. */
export function denialOfRecord(
  record: SignedRecord,
  lists: TargetDenials,
): RecordDenial | undefined {
  const { denials } = lists;
  if (denials.isEmpty || record.tombstone) return undefined;
  switch (record.kind) {
    case recordKinds.name:
      return ofName(record, labelIn(record), denials);
    case recordKinds.pkName:
      return ofName(record, keyName(record.author), denials);
    case recordKinds.provider: {
      const hash = providedHashIn(record);
      return hash && denials.ofBlock(hash) && 'subject';
    }
    case recordKinds.link: {
      const link = linkTargetIn(record);
      return link && deniedTarget(link, lists) && 'target';
    }
    case recordKinds.contact:
    case recordKinds.revocations:
      return undefined;
    default:
      return record.kind satisfies never;
  }
}

function ofName(
  record: SignedRecord,
  label: string | undefined,
  denials: Denials,
): RecordDenial | undefined {
  if (label !== undefined && denials.ofName({ label, key: record.key })) return 'subject';
  return rootHashesIn(record).some((hash) => denials.ofBlock(hash)) ? 'target' : undefined;
}
