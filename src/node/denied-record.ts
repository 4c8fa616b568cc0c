/**
 * Whether a record is about something that is denied here, a name or the holding of content, or
 * leads to it. Of a link only its target can be asked for: its URL stands in it as a hash. What
 * follows, the DHT knows.
 */
import type { Bytes } from '../base/bytes.ts';
import type { Denials } from '../base/denial.ts';
import type { RecordDenial } from '../dht/rules/denial.ts';
import { deniedTarget, type TargetDenials } from '../link/denied-target.ts';
import type { SignedRecord } from '../record/envelope.ts';
import { recordKinds } from '../record/kinds.ts';
import { keyName } from '../record/label.ts';
import { parseLink } from '../record/link.ts';
import { parseName } from '../record/name.ts';
import { parsePkName } from '../record/pkname.ts';
import { parseProvider } from '../record/provider.ts';

/** SHA-256 as a multihash: two octets before the hash. */
const multihashHeadBytes = 2;

/** Withdrawals are never denied: they hand nothing out, and take back what was. */
export function denialOfRecord(
  record: SignedRecord,
  lists: TargetDenials,
): RecordDenial | undefined {
  const { denials } = lists;
  if (denials.isEmpty || record.tombstone) return undefined;
  switch (record.kind) {
    case recordKinds.name:
      return ofName(record, denials);
    case recordKinds.pkName:
      return ofKeyName(record, denials);
    case recordKinds.provider: {
      const hash = parseProvider(record)?.multihash.subarray(multihashHeadBytes);
      return hash && denials.ofBlock(hash) && 'subject';
    }
    case recordKinds.link: {
      const link = parseLink(record);
      return link && deniedTarget(link, lists) && 'target';
    }
    case recordKinds.contact:
    case recordKinds.revocations:
      return undefined;
    default:
      return record.kind satisfies never;
  }
}

function ofName(record: SignedRecord, denials: Denials): RecordDenial | undefined {
  const body = parseName(record);
  if (!body) return undefined;
  const { label, root, subnames, zoneFile } = body;
  if (denials.ofName({ label, key: record.key })) return 'subject';
  const targets = [root, ...(subnames?.values() ?? []), ...(zoneFile ? [zoneFile] : [])];
  return targets.some(({ multihash }) => denials.ofBlock(multihash.digest)) ? 'target' : undefined;
}

function ofKeyName(
  record: SignedRecord & { readonly author: Bytes },
  denials: Denials,
): RecordDenial | undefined {
  const label = keyName(record.author);
  if (denials.ofName({ label, key: record.key })) return 'subject';
  const root = parsePkName(record)?.root;
  return root && denials.ofBlock(root.multihash.digest) && 'target';
}
