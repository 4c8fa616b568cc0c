/** The newest record of a slot wins; all storers agree on which that is. */
import { equalBytes } from '../../base/bytes.ts';
import { compareRecords } from '../../record/envelope.ts';
import { recordKinds, storeStatuses } from '../../record/kinds.ts';
import type { Rule } from './rule.ts';

/**
 * SEQ_OLD, with the newer record, when the author already wrote a later one into this slot. Names
 * have an order of their own, see `ownership.ts`.
 */
export const refuseOlder: Rule = ({ candidate, slot, held }) => {
  if (candidate.kind === recordKinds.name) return undefined;
  const there = held.find((other) => equalBytes(other.slot, slot))?.stored.record;
  if (!there || !equalBytes(there.author, candidate.author)) return undefined;
  if (compareRecords(candidate, there) >= 0) return undefined;
  return { status: storeStatuses.SEQ_OLD, conflicting: there };
};
