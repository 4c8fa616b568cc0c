/** How many records one key holds, in all and of one author. */
import { equalBytes } from '../../base/bytes.ts';
import { storeStatuses } from '../../record/kinds.ts';
import { storedKind } from '../../record/registry.ts';
import type { Held, Judged, Rule } from './rule.ts';

/**
 * QUOTA_AUTHOR or QUOTA_KEY when a new slot would be one too many. What replaces a record in its
 * own slot is never too many, unless it turns a withdrawal into a live record.
 */
export const refuseExcess: Rule = (judged) => {
  const { candidate, slot } = judged;
  const limits = storedKind(candidate.kind);
  if (!limits || candidate.tombstone) return undefined;
  const others = judged.held.filter(
    (other) => !other.stored.record.tombstone && !equalBytes(other.slot, slot),
  );
  if (ofAuthor(judged, others).length >= limits.perAuthorMax) {
    return { status: storeStatuses.QUOTA_AUTHOR };
  }
  return others.length >= limits.valuesPerKeyMax ? { status: storeStatuses.QUOTA_KEY } : undefined;
};

/**
 * The withdrawals that must go for a new one. They count apart from live records, so that who took
 * one link back can put another; there are at most as many of them as of live records.
 */
export function displacedTombstones(judged: Judged): readonly Held[] {
  const { candidate, slot } = judged;
  const limits = storedKind(candidate.kind);
  if (!limits || !candidate.tombstone) return [];
  const others = judged.held
    .filter((other) => other.stored.record.tombstone && !equalBytes(other.slot, slot))
    .toSorted((a, b) => a.stored.record.issued - b.stored.record.issued);
  const own = ofAuthor(judged, others);
  if (own.length >= limits.perAuthorMax) return own.slice(0, 1);
  return others.length >= limits.valuesPerKeyMax ? others.slice(0, 1) : [];
}

function ofAuthor({ candidate }: Judged, held: readonly Held[]): readonly Held[] {
  return held.filter(({ stored }) => equalBytes(stored.record.author, candidate.author));
}
