/** What a node remembers from one run to the next, besides records and blocks. */
import { type Endpoint, formatEndpoint, parseEndpoint } from '../base/address.ts';
import { parseHex, parseUtf8, toHex, utf8 } from '../base/bytes.ts';
import { networksOf, type PrefixCaps, PrefixCounts } from '../dht/table/caps.ts';
import { type Contact, contactOf } from '../identity/contact.ts';
import type { NoteStore } from '../store/notes.ts';

const peersNote = 'node/peers';
const reachNote = 'node/reachable';
const announcedNote = 'node/announced';
const guideNote = 'node/guide';
const peersMax = 64;
/** With so many met, those of earlier runs are not needed. */
const peersEnough = 20;
/** Those of earlier runs that still answer come first, up to so many: who is new proved less. */
const provenMax = 32;
/** As in the routing table: who has few networks gets few places. */
const peerCaps: PrefixCaps = { narrow: 2, wide: 8 };
/** For so long a node that restarts need not show again all that made it a server … */
const reachKeptMs = 6 * 3_600_000;
/** … and so exactly is it noted when it was one, as each note is a write. */
const reachGrainMs = 10 * 60_000;

type Notes = Pick<NoteStore, 'get' | 'put'>;

/** The contacts of the last run, those seen last first; what cannot be read is left out. */
export function rememberedPeers(notes: Notes): Contact[] {
  const lines = (textOf(notes, peersNote) ?? '').split('\n').slice(0, peersMax);
  return lines.flatMap((line) => {
    const [key = '', address = ''] = line.split(' ');
    const publicKey = parseHex(key, 32);
    const endpoint = parseEndpoint(address);
    return publicKey && endpoint ? [contactOf(publicKey, endpoint)] : [];
  });
}

/**
 * Notes those of `contacts`, seen last first, that are worth trying in the next run: of those noted
 * before the ones that still answer, then the others, then who was `lost` in this run. A node that
 * met few keeps some of earlier runs as well: a run without a network must not cost it its way
 * back.
 */
export async function rememberPeers(
  notes: Notes,
  contacts: readonly Contact[],
  lost: readonly Contact[] = [],
): Promise<void> {
  // BOUNDED by a table
  const met = new Map(contacts.map((contact) => [toHex(contact.id), contact]));
  const before = rememberedPeers(notes);
  const proven = before.flatMap(({ id }) => met.get(toHex(id)) ?? []).slice(0, provenMax);
  const kept = chosen([proven, contacts, lost], peersMax);
  const known = new Set(kept.map(({ id }) => toHex(id)));
  const others = before.filter(({ id }) => !known.has(toHex(id)));
  kept.push(...others.slice(0, Math.max(0, peersEnough - kept.length)));
  const lines = kept.map(
    ({ publicKey, endpoint }) => `${toHex(publicKey)} ${formatEndpoint(endpoint)}`,
  );
  await putText(notes, peersNote, lines.join('\n'));
}

/** Each once, the first ones first, and few of a network. */
function chosen(lists: readonly (readonly Contact[])[], countMax: number): Contact[] {
  const kept = new Map<string, Contact>(); // BOUNDED by countMax
  const counts = new PrefixCounts(peerCaps);
  for (const contact of lists.flat()) {
    if (kept.size >= countMax) break;
    const id = toHex(contact.id);
    if (!kept.has(id) && counts.take(networksOf(contact.endpoint.ip))) kept.set(id, contact);
  }
  return [...kept.values()];
}

/** Where strangers reached this node, if that is not long ago. */
export function recalledReach(notes: Notes, nowMs: number): Endpoint[] {
  const lines = (textOf(notes, reachNote) ?? '').split('\n').slice(0, 2);
  return lines.flatMap((line) => {
    const [address = '', time = ''] = line.split(' ');
    const ageMs = nowMs - Number(time);
    const endpoint = parseEndpoint(address);
    return endpoint && ageMs < reachKeptMs && ageMs > -reachGrainMs ? [endpoint] : [];
  });
}

/** Notes where strangers reach this node now; what was noted before stays when they do not yet. */
export async function noteReach(
  notes: Notes,
  endpoints: readonly Endpoint[],
  nowMs: number,
): Promise<void> {
  if (endpoints.length === 0) return;
  const time = Math.floor(nowMs / reachGrainMs) * reachGrainMs;
  await putText(
    notes,
    reachNote,
    endpoints.map((at) => `${formatEndpoint(at)} ${time}`).join('\n'),
  );
}

/** The addresses that were announced last. */
export function announcedAddresses(notes: Pick<Notes, 'get'>): readonly string[] {
  return (textOf(notes, announcedNote) ?? '').split('\n').filter((address) => address !== '');
}

/** To be called when all is announced: until then a crash must not look like success. */
export async function noteAnnounced(notes: Notes, addresses: readonly string[]): Promise<void> {
  await putText(notes, announcedNote, announcedText(addresses));
}

function announcedText(addresses: readonly string[]): string {
  return addresses.toSorted().join('\n');
}

/** The root of the example site, once it was published. */
export function guideRoot(notes: Notes): string | undefined {
  return textOf(notes, guideNote);
}

export async function noteGuideRoot(notes: Notes, cid: string): Promise<void> {
  await putText(notes, guideNote, cid);
}

function textOf(notes: Pick<Notes, 'get'>, name: string): string | undefined {
  const value = notes.get(name);
  return value && parseUtf8(value);
}

/** Writes only what is new: some of this is noted every minute. */
async function putText(notes: Notes, name: string, text: string): Promise<void> {
  if (textOf(notes, name) !== text) await notes.put(name, utf8(text));
}
