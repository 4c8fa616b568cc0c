/**
 * The storage set Σ(key): who should hold a key. All live nodes within a radius that would hold 20
 * of N evenly spread nodes, but at least the 20 nearest and at most 60. Going by density makes it
 * hard to push out who is there: an attacker has to outnumber the region, not to be nearest.
 *
 * Pure: knows neither who is alive nor how nodes are found.
 */
import type { Bytes } from '../../base/bytes.ts';
import type { Contact } from '../../identity/contact.ts';
import { lookupCaps, PrefixCounts, networksOf } from '../table/caps.ts';
import { compareDistance, distanceShare } from '../distance.ts';

export interface SigmaSize {
  /** However thinly the region is filled, so many nearest belong to the set: k. */
  readonly least: number;
  readonly most: number;
  /** As a share of the ID space: who is no farther belongs to the set. */
  readonly radius: number;
}

export const sigmaMost = 60;

/** Σ in a network of `networkSize` servers: the radius that holds k of them on average. */
export function sigmaSize(networkSize: number, k: number): SigmaSize {
  return { least: k, most: Math.max(k, sigmaMost), radius: Math.min(1, k / networkSize) };
}

/** Whether a node with `nearer` others before it, `share` from the key, belongs to the set. */
export function isWithin(
  { nearer, share }: { nearer: number; share: number },
  { least, most, radius }: SigmaSize,
): boolean {
  return nearer < least || (nearer < most && share <= radius);
}

/** Those of `contacts` that belong to Σ(key), nearest first, IP caps applied. */
export function selectSigma(
  key: Bytes,
  contacts: readonly Contact[],
  size: SigmaSize,
): readonly Contact[] {
  const set: Contact[] = []; // BOUNDED by size.most
  const counts = new PrefixCounts(lookupCaps);
  for (const contact of contacts.toSorted((a, b) => compareDistance(key, a.id, b.id))) {
    const share = distanceShare(contact.id, key);
    if (!isWithin({ nearer: set.length, share }, size)) break;
    if (counts.take(networksOf(contact.endpoint.ip))) set.push(contact);
  }
  return set;
}

/** Whether `self` belongs to Σ(key), whose other members are `others`, nearest first. */
export function isInSigma(
  self: Bytes,
  { key, others, size }: { key: Bytes; others: readonly Contact[]; size: SigmaSize },
): boolean {
  const firstFarther = others.findIndex(({ id }) => compareDistance(key, self, id) < 0);
  const nearer = firstFarther < 0 ? others.length : firstFarther;
  return isWithin({ nearer, share: distanceShare(self, key) }, size);
}
