/**
 * Entries as octets, 33 each, in the order of their list: what a list says in the end, whether one
 * continues another, and what is left of one that its revoker contradicted. Pure.
 */
import { type Bytes, concatBytes, equalBytes } from '../base/bytes.ts';
import {
  encodeRevocation,
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

/**
 * The revocations that `before` ends with and `after` does not speak of, the newest of them where
 * there are too many. Who trusts a revoker goes by both of its lists.
 */
export function leftOf(before: Bytes, after: Bytes, countMax: number): Bytes {
  const spokenOf = new Set<string>(); // BOUNDED by the entries of a list
  for (const { type, target } of eachOf(after)) spokenOf.add(keyOf(type, target));
  const left = new Map<string, Revocation>(); // BOUNDED by the entries of a list
  for (const entry of eachOf(before)) {
    const key = keyOf(entry.type, entry.target);
    if (spokenOf.has(key)) continue;
    left.delete(key);
    if (!entry.undo) left.set(key, entry);
  }
  const newest = [...left.values()].slice(-countMax);
  return concatBytes(...newest.map(encodeRevocation));
}

function keyOf(type: number, target: Bytes): string {
  return String.fromCharCode(type) + Buffer.from(target).toString('latin1');
}
