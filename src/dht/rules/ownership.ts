/**
 * First writer wins: a name of the open zone belongs to its holder until it is free again or the
 * holder signs it over. A zone's names belong to whom the zone says, and need nobody's vote.
 */
import { equalBytes } from '../../base/bytes.ts';
import type { SignedRecord } from '../../record/envelope.ts';
import { recordKinds, storeStatuses } from '../../record/kinds.ts';
import { compareClaims } from '../../record/transfer.ts';
import { isOpenZone, zoneOf } from '../../record/zone.ts';
import type { StoredRecord } from '../ports.ts';
import type { Judged, Refusal } from './rule.ts';

/** Only its owner may write to a name for so long after it expired. */
export const reservedSeconds: number = 30 * 86_400;

/** A name that its owner gave up is kept from others for so long. */
export const withdrawnSeconds: number = 7 * 86_400;

const { SEQ_OLD, NAME_TAKEN } = storeStatuses;

/** Unix seconds from when on anybody may take the name that `record` holds. */
export function freeAtSeconds({ tombstone, issued, expires }: SignedRecord): number {
  return tombstone ? issued + withdrawnSeconds : expires + reservedSeconds;
}

/** A name whose holder is found out by votes: those of the open zone. */
export function isVoted(record: SignedRecord): boolean {
  const zone = record.kind === recordKinds.name ? zoneOf(record) : undefined;
  return zone !== undefined && isOpenZone(zone);
}

/**
 * Names: SEQ_OLD for an older claim of the holder, NAME_TAKEN for another's; each shows why. A name
 * of a zone never becomes free: who held it before its registrar withdrew it must not come back.
 */
export function judgeName({
  candidate,
  held,
  nowUnixSeconds,
  network,
}: Judged): Refusal | undefined {
  const holder = held.at(0)?.stored;
  if (candidate.kind !== recordKinds.name || !holder) return undefined;
  if (compareClaims(candidate, holder.record, network) > 0) return undefined;
  const conflicting = holder.record;
  if (equalBytes(conflicting.author, candidate.author)) return { status: SEQ_OLD, conflicting };
  const mayTake = isVoted(candidate) && isFree(holder, nowUnixSeconds);
  return mayTake ? undefined : { status: NAME_TAKEN, conflicting };
}

/**
 * Whether the candidate, once taken, waits for others to confirm it: nobody held the name, or its
 * holder waits as well. Who takes over from a confirmed holder is confirmed by that.
 */
export function isProvisional({ candidate, held, nowUnixSeconds }: Judged): boolean {
  if (!isVoted(candidate)) return false;
  const holder = held.at(0)?.stored;
  return !holder || holder.provisional || isFree(holder, nowUnixSeconds);
}

/**
 * Unix milliseconds since when the candidate's author has held its slot without a break; undefined:
 * not until now. Who comes back to a name that anybody could have taken waits as anybody would.
 */
export function sinceMsOf({ candidate, slot, held, nowUnixSeconds }: Judged): number | undefined {
  const before = held.find((other) => equalBytes(other.slot, slot))?.stored;
  if (!before || !equalBytes(before.record.author, candidate.author)) return undefined;
  const isBreak = candidate.kind === recordKinds.name && isFree(before, nowUnixSeconds);
  return isBreak ? undefined : before.heldSinceMs;
}

/** Whether what most others hold goes before what we hold: unless ours proves that it is later. */
export function mayAdopt(
  record: SignedRecord,
  {
    holder,
    nowUnixSeconds,
    network,
  }: { holder: StoredRecord | undefined; nowUnixSeconds: number; network: Uint8Array },
): boolean {
  if (nowUnixSeconds >= freeAtSeconds(record)) return false;
  return !holder || compareClaims(holder.record, record, network) <= 0;
}

/** A withdrawal by who never was confirmed reserves nothing: who loses a race cannot block it. */
function isFree({ record, provisional }: StoredRecord, nowUnixSeconds: number): boolean {
  return (provisional && record.tombstone) || nowUnixSeconds >= freeAtSeconds(record);
}
