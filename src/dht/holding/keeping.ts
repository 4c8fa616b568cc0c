/** How long a storer keeps what it holds, and when it stores it with others again. */
import type { Bytes } from '../../base/bytes.ts';
import { recordKinds } from '../../record/kinds.ts';
import { storedKind } from '../../record/registry.ts';
import { distanceShare } from '../distance.ts';
import type { StoredRecord } from '../ports.ts';
import { reservedSeconds } from '../rules/ownership.ts';

/**
 * Unix milliseconds from when on a held record is gone. A withdrawal stays for as long as a record
 * that it withdrew can live, so that none comes back; a name that lived until it expired stays
 * reserved for its owner.
 */
export function dropAtMs({ record, refreshedMs }: StoredRecord): number {
  const rules = storedKind(record.kind);
  if (!rules) return 0;
  if (record.tombstone) return (record.issued + rules.lifetimeSecondsMax) * 1000;
  const forgottenMs =
    rules.storerDropSeconds === undefined
      ? Number.POSITIVE_INFINITY
      : refreshedMs + rules.storerDropSeconds * 1000;
  if (forgottenMs < record.expires * 1000) return forgottenMs;
  const reserved = record.kind === recordKinds.name ? reservedSeconds : 0;
  return (record.expires + reserved) * 1000;
}

/**
 * Unix milliseconds when `self` stores it with others again: 75–125 % of the kind's interval, each
 * holder at a time of its own, so that the first one spares the others the work. Undefined: never.
 */
export function repushAtMs({ record, refreshedMs }: StoredRecord, self: Bytes): number | undefined {
  const seconds = storedKind(record.kind)?.storerRepushSeconds;
  if (seconds === undefined) return undefined;
  return refreshedMs + seconds * 1000 * (0.75 + 0.5 * distanceShare(self, record.hash));
}
