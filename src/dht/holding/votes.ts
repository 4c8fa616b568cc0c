/**
 * What others say of who holds a name, and what a holder concludes. Pure: who was asked, and how,
 * `recheck.ts` knows.
 */
import { type Bytes, toHex } from '../../base/bytes.ts';
import { sha256 } from '../../base/hash.ts';
import type { Contact } from '../../identity/contact.ts';
import type { GetReply, RecordDigest } from '../ports.ts';

/** What one node answered; holding nothing is an answer, and counts as one. */
export interface Ballot {
  readonly from: Contact;
  /** What it holds of the name, unless it waits for confirmation itself. */
  readonly digest: RecordDigest | undefined;
}

/** A node has one vote, whatever it says: a name has one holder. */
export function ballotOf(from: Contact, { digests }: GetReply): Ballot {
  const digest = digests.at(0);
  return { from, digest: digest?.provisional === false ? digest : undefined };
}

export interface Verdict {
  /** Those who hold it for somebody else, when they are enough to give way to. */
  readonly others: readonly Ballot[];
  /** Whether at least half hold it for our holder. */
  readonly agreed: boolean;
}

/**
 * A newcomer gives way to more than half of all that answered, a settled holder to 60 %; there our
 * own vote counts, so that of two nodes that disagree neither gives way to the other.
 */
export function judgeBallots(
  ballots: readonly Ballot[],
  { author, settled }: { author: Bytes; settled: boolean },
): Verdict {
  const ours = toHex(sha256(author).subarray(0, 16));
  const byAuthor = new Map<string, Ballot[]>(); // BOUNDED by the ballots
  for (const ballot of ballots) {
    if (!ballot.digest) continue;
    const voted = toHex(ballot.digest.author);
    const same = byAuthor.get(voted) ?? [];
    byAuthor.set(voted, same);
    same.push(ballot);
  }
  const agreeing = byAuthor.get(ours)?.length ?? 0;
  byAuthor.delete(ours);
  const [strongest = []] = [...byAuthor.values()].toSorted((a, b) => b.length - a.length);
  const isEnough = settled
    ? strongest.length * 10 >= (ballots.length + 1) * 6
    : strongest.length * 2 > ballots.length;
  return {
    others: isEnough ? strongest : [],
    agreed: agreeing > 0 && agreeing * 2 >= ballots.length,
  };
}
