/** How many records one key holds: in all, of one author, from one source; and who makes room. */
import { equalBytes, toHex } from '../../base/bytes.ts';
import { type RecordKind, recordKinds, storeStatuses } from '../../record/kinds.ts';
import { storedKind } from '../../record/registry.ts';
import type { Held, Judged, Refusal } from './rule.ts';
import { isSender } from './source.ts';

/** Live records of a kind under one key that came from one source. */
const perSourceMax: ReadonlyMap<RecordKind, number> = new Map([[recordKinds.link, 8]]);

/** What must go from under the key for the candidate to come; mostly nothing. */
export interface Room {
  readonly displaced: readonly Held[];
}

const enough: Room = { displaced: [] };

/**
 * QUOTA_AUTHOR, QUOTA_NET or QUOTA_KEY when a new slot would be one too many. What replaces a
 * record in its own slot is never too many, unless it turns a withdrawal into a live record.
 */
export function roomUnderKey(judged: Judged): Room | Refusal {
  const { candidate, slot, source, held } = judged;
  const limits = storedKind(candidate.kind);
  if (!limits) return enough;
  if (candidate.tombstone) return { displaced: displacedTombstones(judged) };
  const others = held.filter(
    (other) => !other.stored.record.tombstone && !equalBytes(other.slot, slot),
  );
  if (ofAuthor(judged, others).length >= limits.perAuthorMax) {
    return { status: storeStatuses.QUOTA_AUTHOR };
  }
  const ofSourceMax = perSourceMax.get(candidate.kind) ?? Number.POSITIVE_INFINITY;
  const ofSource = others.filter(({ stored }) => stored.source === source);
  if (isSender(source) && ofSource.length >= ofSourceMax) {
    return { status: storeStatuses.QUOTA_NET };
  }
  if (others.length < limits.valuesPerKeyMax) return enough;
  const displaced = leastDeserving(judged, others);
  return displaced ? { displaced: [displaced] } : { status: storeStatuses.QUOTA_KEY };
}

/**
 * Of a full key, the newest record of the author or source that holds most of it, if the candidate
 * would leave its own author and source with less: nobody is pushed out by who holds as much, and
 * least of all who holds one.
 */
function leastDeserving(judged: Judged, others: readonly Held[]): Held | undefined {
  const counts = new Map<string, number>(); // BOUNDED by the values per key
  for (const held of others) {
    for (const group of groupsOf(held.stored.record.author, held.stored.source)) {
      counts.set(group, (counts.get(group) ?? 0) + 1);
    }
  }
  const ownGroups = groupsOf(judged.candidate.author, judged.source);
  const ownCount = 1 + Math.max(...ownGroups.map((group) => counts.get(group) ?? 0));
  const [largest] = [...counts].toSorted(([, a], [, b]) => b - a);
  if (!largest || ownCount >= largest[1]) return undefined;
  return others
    .filter(({ stored }) => groupsOf(stored.record.author, stored.source).includes(largest[0]))
    .toSorted((a, b) => b.stored.heldSinceMs - a.stored.heldSinceMs)
    .at(0);
}

function groupsOf(author: Uint8Array, source: string): readonly string[] {
  const byAuthor = `author ${toHex(author)}`;
  return isSender(source) ? [byAuthor, `source ${source}`] : [byAuthor];
}

/**
 * The withdrawals that must go for a new one. They count apart from live records, so that who took
 * one link back can put another; there are at most as many of them as of live records.
 */
function displacedTombstones(judged: Judged): readonly Held[] {
  const { candidate, slot } = judged;
  const limits = storedKind(candidate.kind);
  if (!limits) return [];
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
