/**
 * What the votes mean: the rule by which a name belongs to somebody (docs/spec/names.md,
 * "Resolving"). Pure: it sees no network and no clock.
 */
import { type Bytes, equalBytes } from '../base/bytes.ts';
import { freeAtSeconds } from '../dht/rules/ownership.ts';
import type { SignedRecord } from '../record/envelope.ts';
import { compareClaims, takesOverFrom } from '../record/transfer.ts';
import { type Claim, neighbourhood, type Tally } from './tally.ts';

export type Verdict =
  | { readonly state: 'ok' | 'new' | 'expired'; readonly record: SignedRecord }
  | { readonly state: 'contested'; readonly claimants: readonly Bytes[] }
  /** `record` is the owner's withdrawal, if that is why. */
  | { readonly state: 'not-found'; readonly record?: SignedRecord };

export interface Evidence {
  readonly tally: Tally;
  /** Whether so many answered that what they say can be trusted; see `answersWanted`. */
  readonly heard: boolean;
  /** Whether the search ran to its end: before that nobody has a vote. */
  readonly complete: boolean;
  /** The newest record of the owner as the name was seen before; what is below it is old news. */
  readonly pin: SignedRecord | undefined;
  /** What this node's own author publishes under the name. */
  readonly own: SignedRecord | undefined;
  /** Unix seconds. */
  readonly now: number;
  /** `networkId(profile)`. */
  readonly network: Bytes;
}

/** In a full neighbourhood, fewer votes than this are no majority whatever the share. */
const votesMin = 5;

/** Of a storage set, this share must answer … */
const heardShare = 0.6;
/** … and fewer than so many never do where there are enough. */
const heardMin = 11;

/** Whether `votes` of `responders` are enough to trust a name that was never seen before. */
export function isMajority(votes: number, responders: number): boolean {
  if (responders >= neighbourhood) return votes > responders / 2 && votes >= votesMin;
  return votes >= Math.max(2, Math.ceil(responders / 2) + 1);
}

/**
 * So many nodes must answer before silence about a name means anything. It follows from the size of
 * the network and not from whom the search asked: whoever makes up contacts could drive that up.
 */
export function answersWanted(networkSize: number): number {
  const holders = Math.min(Math.max(Math.floor(networkSize), 1), neighbourhood);
  const share = Math.ceil(heardShare * holders);
  return holders < neighbourhood ? share : Math.max(heardMin, share);
}

export function judge(evidence: Evidence): Verdict {
  const { pin, now } = evidence;
  return pin && now < freeAtSeconds(pin) ? judgePinned(evidence, pin) : judgeByVotes(evidence);
}

/**
 * A known owner, or who got the name from it, needs no majority: nobody can sign in its place. If
 * all that is left are records of others, they may have driven it out, so the name is contested
 * instead of theirs.
 */
function judgePinned(evidence: Evidence, pin: SignedRecord): Verdict {
  const { tally, own, now, network } = evidence;
  const isLinked = ({ newest }: Claim): boolean =>
    equalBytes(newest.author, pin.author) ||
    takesOverFrom(newest, pin.author, network) !== undefined;
  const heirs = tally.claims.filter(isLinked);
  if (heirs.length > 1) return judgeByVotes(evidence); // the owner passed it on to two
  const [claim] = heirs;
  const mine = own && equalBytes(own.author, pin.author) ? own : undefined;
  const newest = newerOf(claim?.newest, mine, network);
  const others = liveClaims(tally, now).filter((other) => other !== claim);
  const isKnown = newest !== undefined && compareClaims(newest, pin, network) >= 0;
  const isMine = mine && newest && equalBytes(newest.author, mine.author);
  const isHeld = isMine ? isConfirmed(evidence, claim) : isKnown;
  if (isKnown && (claim?.elsewhere === true || others.length === 0)) {
    return stateOf(newest, isHeld ? 'ok' : 'new', now);
  }
  if (others.length === 0) return { state: 'not-found' };
  return { state: 'contested', claimants: [pin.author, ...others.map(({ owner }) => owner)] };
}

/** Whether others see an own name as one that is in order, too: its author knows it anyway. */
function isConfirmed({ tally, complete }: Evidence, claim: Claim | undefined): boolean {
  if (!claim || !claim.confirmedElsewhere) return false;
  return !complete || isMajority(claim.confirmed, tally.responders);
}

function judgeByVotes({ tally, heard, now }: Evidence): Verdict {
  const live = liveClaims(tally, now);
  const [first] = live;
  if (!first) return judgeEnded(tally, now);
  const { responders } = tally;
  const record = first.newest;
  // When most of those who would know are silent, somebody may be silencing them.
  if (heard && isMajority(first.confirmed, responders)) return { state: 'ok', record };
  if (isMajority(first.votes, responders)) return { state: 'new', record };
  const votes = live.reduce((sum, claim) => sum + claim.votes, 0);
  const isAlone = isNoise(votes - first.votes, responders);
  if (isAlone)
    return isNoise(first.votes, responders) ? judgeEnded(tally, now) : { state: 'new', record };
  return { state: 'contested', claimants: live.map(({ owner }) => owner) };
}

/**
 * Whether so few hold something that they say nothing: a lone storer must not be able to keep a
 * free name from being registered, nor make one that has an owner look contested.
 */
function isNoise(votes: number, responders: number): boolean {
  return votes <= responders / 4;
}

/** Nobody has the name now: was there somebody? */
function judgeEnded({ claims, responders }: Tally, now: number): Verdict {
  const ended = claims.find(
    ({ votes, newest }) => !isNoise(votes, responders) && !isLive(newest, now),
  );
  return ended ? stateOf(ended.newest, 'new', now) : { state: 'not-found' };
}

/** For 30 days after its end a name is kept for its owner: that is `expired`. */
function stateOf(record: SignedRecord, whenLive: 'ok' | 'new', now: number): Verdict {
  if (record.tombstone) return { state: 'not-found', record };
  if (record.expires > now) return { state: whenLive, record };
  return now < freeAtSeconds(record) ? { state: 'expired', record } : { state: 'not-found' };
}

function isLive({ tombstone, expires }: SignedRecord, now: number): boolean {
  return !tombstone && expires > now;
}

/** Claims with a vote whose newest record is neither expired nor a withdrawal. */
function liveClaims({ claims }: Tally, now: number): Claim[] {
  return claims.filter(({ votes, newest }) => votes > 0 && isLive(newest, now));
}

/**
 * A name that only one can sign for needs no vote: the name of a key, or a name of a zone, where
 * the registrar's certificate stands for the votes. The highest record that is not old news.
 */
export function judgeCertified({
  records,
  pin,
  now,
  network,
}: Pick<Evidence, 'pin' | 'now' | 'network'> & { records: readonly SignedRecord[] }): Verdict {
  const newest = highestOf(records, network);
  if (!newest || (pin && compareClaims(newest, pin, network) < 0)) return { state: 'not-found' };
  return stateOf(newest, 'ok', now);
}

/** Of records of one certified name, the one that supersedes all others. */
export function highestOf(
  records: readonly SignedRecord[],
  network: Bytes,
): SignedRecord | undefined {
  return records.reduce<SignedRecord | undefined>(
    (highest, record) => newerOf(record, highest, network),
    undefined,
  );
}

function newerOf(
  a: SignedRecord | undefined,
  b: SignedRecord | undefined,
  network: Bytes,
): SignedRecord | undefined {
  if (!a || !b) return a ?? b;
  return compareClaims(b, a, network) > 0 ? b : a;
}
