/**
 * What the votes mean: the rule by which a name belongs to somebody (docs/spec/names.md,
 * "Resolving"). Pure: it sees no network and no clock.
 */
import { type Bytes, equalBytes } from '../base/bytes.ts';
import { compareRecords, type SignedRecord } from '../record/envelope.ts';
import { type Claim, neighbourhood, type Tally } from './tally.ts';

export type Verdict =
  | { readonly state: 'ok' | 'new' | 'expired'; readonly record: SignedRecord }
  | { readonly state: 'contested'; readonly claimants: readonly Bytes[] }
  /** `record` is the owner's withdrawal, if that is why. */
  | { readonly state: 'not-found'; readonly record?: SignedRecord };

/** The owner of a name as it was seen before; records below its seq are old news. */
export interface Pin {
  readonly owner: Bytes;
  readonly seq: bigint;
  /** Unix seconds: before that nobody else can have the name. */
  readonly freeAt: number;
}

export interface Evidence {
  readonly tally: Tally;
  readonly asked: number;
  readonly answered: number;
  readonly pin: Pin | undefined;
  /** What this node's own author publishes under the name. */
  readonly own: SignedRecord | undefined;
  /** Unix seconds. */
  readonly now: number;
}

/** In a full neighbourhood, fewer votes than this are no majority whatever the share. */
const votesMin = 5;

/** Whether `votes` of `responders` are enough to trust a name that was never seen before. */
export function isMajority(votes: number, responders: number): boolean {
  if (responders >= neighbourhood) return votes > responders / 2 && votes >= votesMin;
  return votes >= Math.max(2, Math.ceil(responders / 2) + 1);
}

export function judge(evidence: Evidence): Verdict {
  const { pin, now } = evidence;
  return pin && now < pin.freeAt ? judgePinned(evidence, pin) : judgeByVotes(evidence);
}

/**
 * A known owner needs no majority: nobody can sign in its place. If all that is left are records
 * of others, they may have driven it out, so the name is contested instead of theirs.
 */
function judgePinned({ tally, own, now }: Evidence, pin: Pin): Verdict {
  const claim = tally.claims.find(({ owner }) => equalBytes(owner, pin.owner));
  const mine = own && equalBytes(own.author, pin.owner) ? own : undefined;
  const newest = newer(claim?.newest, mine);
  const others = liveClaims(tally, now).filter(({ owner }) => !equalBytes(owner, pin.owner));
  const isKnown = newest !== undefined && newest.seq >= pin.seq;
  const isHeld = mine ? claim?.elsewhere === true : isKnown;
  if (isKnown && (isHeld || others.length === 0))
    return stateOf(newest, isHeld ? 'ok' : 'new', now);
  if (others.length === 0) return { state: 'not-found' };
  return { state: 'contested', claimants: [pin.owner, ...others.map(({ owner }) => owner)] };
}

function judgeByVotes({ tally, asked, answered, now }: Evidence): Verdict {
  const live = liveClaims(tally, now);
  const [first] = live;
  if (!first) return judgeEnded(tally, now);
  const record = first.newest;
  // When most of those asked are silent, somebody may be silencing them.
  const isHeard = answered * 2 >= asked;
  if (isHeard && isMajority(first.confirmed, tally.responders)) return { state: 'ok', record };
  if (isMajority(first.votes, tally.responders)) return { state: 'new', record };
  if (live.length === 1) return { state: 'new', record };
  return { state: 'contested', claimants: live.map(({ owner }) => owner) };
}

/** Nobody has the name now: was there somebody? */
function judgeEnded({ claims }: Tally, now: number): Verdict {
  const ended = claims.find(({ votes }) => votes > 0);
  return ended ? stateOf(ended.newest, 'new', now) : { state: 'not-found' };
}

function stateOf(record: SignedRecord, whenLive: 'ok' | 'new', now: number): Verdict {
  if (record.tombstone) return { state: 'not-found', record };
  return { state: record.expires > now ? whenLive : 'expired', record };
}

/** Claims with a vote whose newest record is neither expired nor a withdrawal. */
function liveClaims({ claims }: Tally, now: number): Claim[] {
  return claims.filter(
    ({ votes, newest }) => votes > 0 && !newest.tombstone && newest.expires > now,
  );
}

/** The name of a key needs no vote: only its holder can sign, and the highest seq is the newest. */
export function judgeKeyName({
  records,
  minSeq,
  now,
}: {
  records: readonly SignedRecord[];
  /** Seen before: anything lower is old news. */
  minSeq: bigint;
  now: number;
}): Verdict {
  const [newest] = records
    .filter(({ seq }) => seq >= minSeq)
    .toSorted((a, b) => compareRecords(b, a));
  return newest ? stateOf(newest, 'ok', now) : { state: 'not-found' };
}

function newer(a: SignedRecord | undefined, b: SignedRecord | undefined): SignedRecord | undefined {
  if (!a || !b) return a ?? b;
  return compareRecords(a, b) >= 0 ? a : b;
}
