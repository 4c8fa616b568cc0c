/** First writer wins: a name belongs to its holder until it is free again. */
import { equalBytes } from '../../base/bytes.ts';
import type { SignedRecord } from '../../record/envelope.ts';
import { storeStatuses } from '../../record/kinds.ts';
import type { Rule } from './rule.ts';

/** Only its owner may write to a name for so long after it expired. */
export const reservedSeconds: number = 30 * 86_400;

/** A name that its owner gave up is kept from others for so long. */
export const withdrawnSeconds: number = 7 * 86_400;

/** Unix seconds from when on anybody may take the name that `record` holds. */
export function freeAtSeconds({ tombstone, issued, expires }: SignedRecord): number {
  return tombstone ? issued + withdrawnSeconds : expires + reservedSeconds;
}

/** NAME_TAKEN, with the holder's record, when another author holds the name. */
export const refuseOthers: Rule = ({ candidate, held, nowUnixSeconds }) => {
  const holder = held
    .map(({ stored }) => stored.record)
    .find((record) => !equalBytes(record.author, candidate.author));
  if (!holder || nowUnixSeconds >= freeAtSeconds(holder)) return undefined;
  return { status: storeStatuses.NAME_TAKEN, conflicting: holder };
};
