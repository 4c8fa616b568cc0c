/**
 * Entries as octets, 33 each, in the order of their list: whether they are the list that a record
 * is about, and whether one list continues another. Pure.
 */
import { type Bytes, equalBytes } from '../base/bytes.ts';
import {
  isEntries,
  recentMax,
  type Revocation,
  revocationAt,
  revocationBytes,
  type RevocationsBody,
} from '../record/revocations.ts';

export function countOf(entries: Bytes): number {
  return entries.length / revocationBytes;
}

export function* eachOf(entries: Bytes): Generator<Revocation, void, undefined> {
  for (let at = 0; at < entries.length; at += revocationBytes) yield revocationAt(entries, at);
}

/** The last entries, as many as a record shows. */
export function tailOf(entries: Bytes): Bytes {
  return entries.slice(Math.max(0, entries.length - recentMax * revocationBytes));
}

/** What is known of a list: how many entries, and the last of them. */
export interface Known {
  readonly count: number;
  /** `tailOf` all of it. */
  readonly tail: Bytes;
}

export type Comparison =
  /** These follow after what is known; none: nothing is new. */
  | { readonly kind: 'continues'; readonly entries: Bytes }
  /** More is missing than the record shows. */
  | { readonly kind: 'gap' }
  /** What is known is not how this list begins. */
  | { readonly kind: 'contradicts' };

/** Whether what a record shows of its list continues what is known of it. */
export function compareLists({ count, tail }: Known, body: RevocationsBody): Comparison {
  if (body.count < count) return { kind: 'contradicts' };
  const first = body.count - countOf(body.recent);
  if (first > count) return { kind: 'gap' };
  const overlapBytes = (count - first) * revocationBytes;
  const seen = tail.subarray(tail.length - overlapBytes);
  if (!equalBytes(seen, body.recent.subarray(0, overlapBytes))) return { kind: 'contradicts' };
  return { kind: 'continues', entries: body.recent.subarray(overlapBytes) };
}

/** Whether `octets` can be all of a record's list: as many entries, valid, which end as it shows. */
export function isListOf(octets: Bytes, { count, recent }: RevocationsBody): boolean {
  return (
    octets.length === count * revocationBytes &&
    equalBytes(octets.subarray(octets.length - recent.length), recent) &&
    isEntries(octets)
  );
}
