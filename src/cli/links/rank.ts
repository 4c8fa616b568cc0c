/**
 * In which order alternatives are tried. Only what their publishers cannot choose for themselves
 * counts before the order of arrival: whom the user trusts, whose copies worked before, and how
 * many agree. Time, note and sequence number are their own words and count for nothing.
 */
import type { FoundLinkLine } from '../../api/ports.ts';

/** What is known of publishers, by key ID (64 hex digits). */
export interface Reputation {
  isTrusted(publisher: string): boolean;
  /** Downloads of their alternatives that worked, less those that did not. */
  balance(publisher: string): number;
}

/** Keys cost next to nothing: more that agree add no more. */
const agreeingMax = 3;

interface Merits {
  readonly trusted: number;
  readonly balance: number;
  readonly agreeing: number;
  readonly hashed: number;
}

/** Each target once, best first; of equals the one that was found first. */
export function rankLinks(
  found: readonly FoundLinkLine[],
  reputation: Reputation,
): readonly FoundLinkLine[] {
  const targets = new Map<string, FoundLinkLine[]>(); // BOUNDED by what was found
  for (const link of found) targets.set(link.target, [...(targets.get(link.target) ?? []), link]);
  return [...targets.values()]
    .map((links) => bestOf(links, reputation))
    .toSorted((a, b) => compareMerits(b.merits, a.merits))
    .map(({ link }) => link);
}

/** The link of the publisher with most merit, whose SHA-256 is then the one that must fit. */
function bestOf(
  links: readonly FoundLinkLine[],
  reputation: Reputation,
): { link: FoundLinkLine; merits: Merits } {
  const agreeing = Math.min(agreeingMax, new Set(links.map(({ publisher }) => publisher)).size);
  const judged = links.map((link) => ({
    link,
    merits: {
      trusted: reputation.isTrusted(link.publisher) ? 1 : 0,
      balance: reputation.balance(link.publisher),
      agreeing,
      hashed: link.sha256 === undefined ? 0 : 1,
    },
  }));
  return judged.reduce((best, one) => (compareMerits(one.merits, best.merits) > 0 ? one : best));
}

function compareMerits(a: Merits, b: Merits): number {
  return (
    a.trusted - b.trusted || a.balance - b.balance || a.agreeing - b.agreeing || a.hashed - b.hashed
  );
}
