/**
 * Counts who claims a name: one vote per node that should hold it (docs/spec/names.md, "Counting").
 * Pure. It does not judge the outcome.
 */
import { prefixOf, scopeOf } from '../base/address.ts';
import { type Bytes, toHex } from '../base/bytes.ts';
import type { Contact } from '../identity/contact.ts';
import { compareRecords, type SignedRecord } from '../record/envelope.ts';
import { compareClaims } from '../record/transfer.ts';
import type { NameAnswer } from './ports.ts';

export interface Claim {
  /** Ed25519 public key. */
  readonly owner: Bytes;
  /** The newest of this owner's records that anybody showed: signed, so one node is enough. */
  readonly newest: SignedRecord;
  /** Responders that hold a record of this owner, whichever. */
  readonly votes: number;
  /** Those of them whose holder does not await confirmation. */
  readonly confirmed: number;
  /** Whether another node than this one holds it, and whether one of those has confirmed it. */
  readonly elsewhere: boolean;
  readonly confirmedElsewhere: boolean;
}

export interface Tally {
  /** Most votes first. Who passed the name on has no claim: those votes are the new owner's. */
  readonly claims: readonly Claim[];
  /** Nodes whose vote counts, those without a record included. */
  readonly responders: number;
}

/** Nodes of a key's neighbourhood: k of docs/spec/dht.md. */
export const neighbourhood = 20;

/** Votes from one IPv4 /24 or IPv6 /48, and from one /16 or /32: addresses are what votes cost. */
export const votesPerNarrow = 2;
export const votesPerWide = 4;

/** Comparing claims may cost signatures, and each liar can bring an author of its own. */
const claimsMax = 16;

/** `closest`: the storage set that answered, nearest first. `network`: `networkId(profile)`. */
export function tallyOf(
  answers: readonly NameAnswer[],
  { closest, network }: { readonly closest: readonly Contact[]; readonly network: Bytes },
): Tally {
  const voters = votersOf(answers, closest);
  const claims = new Map<string, Claim>(); // BOUNDED by the answers: one record of each counts
  for (const answer of answers) {
    const ballot = ballotOf(answer, network);
    if (!ballot) continue;
    const { record, provisional } = ballot;
    const id = toHex(record.author);
    const claim = claims.get(id) ?? noVotes(record);
    const vote = voters.has(voterId(answer)) ? 1 : 0;
    const isElsewhere = answer.from !== 'self';
    claims.set(id, {
      owner: record.author,
      newest: compareRecords(claim.newest, record) > 0 ? claim.newest : record,
      votes: claim.votes + vote,
      confirmed: claim.confirmed + (provisional ? 0 : vote),
      elsewhere: claim.elsewhere || isElsewhere,
      confirmedElsewhere: claim.confirmedElsewhere || (isElsewhere && !provisional),
    });
  }
  const merged = mergeLinked([...claims.values()].toSorted(byVotes).slice(0, claimsMax), network);
  return { claims: merged.toSorted(byVotes), responders: voters.size };
}

function byVotes(a: Claim, b: Claim): number {
  return b.votes - a.votes;
}

function noVotes(newest: SignedRecord): Claim {
  const nothing = { votes: 0, confirmed: 0, elsewhere: false, confirmedElsewhere: false };
  return { owner: newest.author, newest, ...nothing };
}

interface Ballot {
  readonly record: SignedRecord;
  readonly provisional: boolean;
}

/**
 * What a node holds for: what it has confirmed, else what awaits that. Who holds for several
 * authors, none of whom passed the name on to another, holds for none.
 */
function ballotOf({ records, provisional }: NameAnswer, network: Bytes): Ballot | undefined {
  const held = records.map((record, i): Ballot => ({
    record,
    provisional: provisional[i] === true,
  }));
  const firm = held.filter((ballot) => !ballot.provisional);
  const counted = firm.length > 0 ? firm : held;
  return counted.find(({ record }) => counted.every((other) => isOver(record, other.record)));

  function isOver(record: SignedRecord, other: SignedRecord): boolean {
    return record === other || compareClaims(record, other, network) > 0;
  }
}

/**
 * A storer that has not heard of a transfer still holds for the owner before: its vote is one for
 * the owner now. Where a name was passed on to two, those votes belong to neither.
 */
export function mergeLinked(claims: readonly Claim[], network: Bytes): Claim[] {
  const beats = (a: Claim, b: Claim): boolean =>
    a !== b && compareClaims(a.newest, b.newest, network) > 0;
  const last = claims.filter((claim) => !claims.some((other) => beats(other, claim)));
  return last.map((claim) => {
    const before = claims.filter(
      (other) =>
        beats(claim, other) && !last.some((rival) => rival !== claim && beats(rival, other)),
    );
    return before.reduce(joined, claim);
  });
}

function joined(claim: Claim, before: Claim): Claim {
  return {
    ...claim,
    votes: claim.votes + before.votes,
    confirmed: claim.confirmed + before.confirmed,
    elsewhere: claim.elsewhere || before.elsewhere,
  };
}

/**
 * The nodes of the storage set have a vote, nearest first, up to a few per network: those that a
 * search met on its way hold nothing and would only dilute, and those that did not answer are
 * nobody. This node votes when it holds the name, or when the network is so small that it is near
 * to everything.
 */
function votersOf(answers: readonly NameAnswer[], closest: readonly Contact[]): Set<string> {
  const answered = new Set(answers.map(voterId));
  const hasRoom = roomPerNetwork();
  const voters = closest.filter((contact) => answered.has(toHex(contact.id)) && hasRoom(contact));
  const ids = new Set(voters.map(({ id }) => toHex(id)));
  const own = answers.find(({ from }) => from === 'self');
  if (own && (own.records.length > 0 || closest.length < neighbourhood)) ids.add('self');
  return ids;
}

/** Whether one more vote of a contact's network counts; then it does. */
function roomPerNetwork(): (contact: Contact) => boolean {
  const used = new Map<string, number>(); // BOUNDED by the contacts that are asked about
  return ({ endpoint: { ip } }) => {
    if (scopeOf(ip) !== 'global') return true;
    const narrow = `narrow ${prefixOf(ip, 'narrow')}`;
    const wide = `wide ${prefixOf(ip, 'wide')}`;
    const [inNarrow, inWide] = [used.get(narrow) ?? 0, used.get(wide) ?? 0];
    if (inNarrow >= votesPerNarrow || inWide >= votesPerWide) return false;
    used.set(narrow, inNarrow + 1);
    used.set(wide, inWide + 1);
    return true;
  };
}

/** How many of `answers` come from different networks: one per /24 or /48 of global addresses. */
export function networksAmong(answers: readonly NameAnswer[]): number {
  const networks = answers.flatMap(({ from }) => {
    if (from === 'self') return [];
    const { ip } = from.endpoint;
    return [scopeOf(ip) === 'global' ? prefixOf(ip, 'narrow') : toHex(from.id)];
  });
  return new Set(networks).size;
}

function voterId({ from }: NameAnswer): string {
  return from === 'self' ? 'self' : toHex(from.id);
}
