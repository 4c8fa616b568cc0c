/**
 * In which order alternatives are tried. Only what their publishers cannot choose for themselves
 * counts before the order of arrival: whom the user trusts, whose copies worked before, and how
 * many agree. Time, note and sequence number are their own words and count for nothing.
 */
import type { FoundLinkLine } from '../../api/ports-links.ts';

/** What is known of publishers, by key ID (64 hex digits). */
export interface Reputation {
  isTrusted(publisher: string): boolean;
  /** Downloads of their alternatives that worked, less those that did not. */
  balance(publisher: string): number;
}

interface Judged {
  readonly link: FoundLinkLine;
  readonly merits: Merits;
}

/** Keys cost next to nothing: more that agree add no more. */
const agreeingMax = 3;

interface Merits {
  readonly trusted: number;
  readonly balance: number;
  readonly agreeing: number;
  readonly hashed: number;
}

/**
 * Best first; of equals the one that was found first. A target stands there once for each SHA-256
 * that is told of it, and once for who tells none: else a single false one, which costs a stranger
 * nothing, would keep everybody from a good copy.
 */
export function rankLinks(
  found: readonly FoundLinkLine[],
  reputation: Reputation,
): readonly FoundLinkLine[] {
  const targets = new Map<string, FoundLinkLine[]>(); // BOUNDED by what was found
  for (const link of found) targets.set(link.target, [...(targets.get(link.target) ?? []), link]);
  return [...targets.values()]
    .map((links) => ranked(links, reputation))
    .toSorted(([a], [b]) => (a && b ? compareMerits(b.merits, a.merits) : 0))
    .flatMap((judged) => bestOfEachHash(judged));
}

/** Links with one target, that of the publisher with most merit first. */
function ranked(links: readonly FoundLinkLine[], reputation: Reputation): readonly Judged[] {
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
  return judged.toSorted((a, b) => compareMerits(b.merits, a.merits));
}

function bestOfEachHash(judged: readonly Judged[]): FoundLinkLine[] {
  const best = new Map<string | undefined, FoundLinkLine>(); // BOUNDED by what was found
  for (const { link } of judged) if (!best.has(link.sha256)) best.set(link.sha256, link);
  return [...best.values()];
}

function compareMerits(a: Merits, b: Merits): number {
  return (
    a.trusted - b.trusted || a.balance - b.balance || a.agreeing - b.agreeing || a.hashed - b.hashed
  );
}
