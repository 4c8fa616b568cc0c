/**
 * Counts who claims a name: one vote per node that should hold it (docs/spec/names.md, "Counting").
 * Pure. It does not judge the outcome.
 */
import { prefixOf, scopeOf } from '../base/address.ts';
import { type Bytes, equalBytes, toHex } from '../base/bytes.ts';
import type { Contact } from '../identity/contact.ts';
import { compareRecords, type SignedRecord } from '../record/envelope.ts';
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
  /** Whether another node than this one holds it. */
  readonly elsewhere: boolean;
}

export interface Tally {
  /** Most votes first. */
  readonly claims: readonly Claim[];
  /** Nodes whose vote counts, those without a record included. */
  readonly responders: number;
}

/** Nodes of a key's neighbourhood: k of docs/spec/dht.md. */
export const neighbourhood = 20;

/** Votes from one IPv4 /24 or IPv6 /48, and from one /16 or /32: addresses are what votes cost. */
export const votesPerNarrow = 2;
export const votesPerWide = 4;

export function tallyOf(answers: readonly NameAnswer[], closest: readonly Contact[]): Tally {
  const voters = new Set(voterIds(answers, closest));
  const claims = new Map<string, Claim>(); // BOUNDED by the answers: one record of each counts
  for (const answer of answers) {
    const record = ballotOf(answer);
    if (!record) continue;
    const id = toHex(record.author);
    const vote = voters.has(voterId(answer)) ? 1 : 0;
    const isProvisional = answer.provisional?.[answer.records.indexOf(record)] === true;
    const claim = claims.get(id);
    claims.set(id, {
      owner: record.author,
      newest: claim && compareRecords(claim.newest, record) > 0 ? claim.newest : record,
      votes: (claim?.votes ?? 0) + vote,
      confirmed: (claim?.confirmed ?? 0) + (isProvisional ? 0 : vote),
      elsewhere: claim?.elsewhere === true || answer.from !== 'self',
    });
  }
  const byVotes = [...claims.values()].toSorted((a, b) => b.votes - a.votes);
  return { claims: byVotes, responders: voters.size };
}

/** The newest record of the owner that a node holds for; who holds for several holds for none. */
function ballotOf({ records }: NameAnswer): SignedRecord | undefined {
  const [newest] = records.toSorted((a, b) => compareRecords(b, a));
  const single = newest && records.every(({ author }) => equalBytes(author, newest.author));
  return single ? newest : undefined;
}

/**
 * The nodes nearest to the key have a vote, up to a few per network: those that a search met on
 * its way hold nothing and would only dilute. This node votes when it holds the name, or when the
 * network is so small that it is near to everything.
 */
function voterIds(answers: readonly NameAnswer[], closest: readonly Contact[]): string[] {
  const near = new Set(closest.map(({ id }) => toHex(id)));
  const networks = new Map<string, number>(); // BOUNDED by the answers
  return answers
    .filter(({ from, records }) =>
      from === 'self'
        ? records.length > 0 || closest.length < neighbourhood
        : near.has(toHex(from.id)) && hasRoom(networks, from),
    )
    .map(voterId);
}

/** Those of `answers` that the caps per network leave, in their order; this node's own is none. */
export function diverse(answers: readonly NameAnswer[]): readonly NameAnswer[] {
  const networks = new Map<string, number>(); // BOUNDED by the answers
  return answers.filter(({ from }) => from !== 'self' && hasRoom(networks, from));
}

function hasRoom(networks: Map<string, number>, { endpoint: { ip } }: Contact): boolean {
  if (scopeOf(ip) !== 'global') return true;
  const narrow = `narrow ${prefixOf(ip, 'narrow')}`;
  const wide = `wide ${prefixOf(ip, 'wide')}`;
  const [inNarrow, inWide] = [networks.get(narrow) ?? 0, networks.get(wide) ?? 0];
  if (inNarrow >= votesPerNarrow || inWide >= votesPerWide) return false;
  networks.set(narrow, inNarrow + 1);
  networks.set(wide, inWide + 1);
  return true;
}

function voterId({ from }: NameAnswer): string {
  return from === 'self' ? 'self' : toHex(from.id);
}
