/** What a node remembers from one run to the next, besides records and blocks. */
import { formatEndpoint, parseEndpoint } from '../base/address.ts';
import { parseHex, parseUtf8, toHex, utf8 } from '../base/bytes.ts';
import { type Contact, contactOf } from '../identity/contact.ts';
import type { NoteStore } from '../store/notes.ts';

const peersNote = 'node/peers';
const announcedNote = 'node/announced';
const guideNote = 'node/guide';
const peersMax = 64;
/** With so many met, those of earlier runs are not needed. */
const peersEnough = 20;

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
 * Notes `contacts`, those seen last first. A node that met few keeps some of earlier runs as well:
 * a run without a network must not cost it its way back.
 */
export async function rememberPeers(notes: Notes, contacts: readonly Contact[]): Promise<void> {
  const met = contacts.slice(0, peersMax);
  const known = new Set(met.map(({ id }) => toHex(id)));
  const earlier = rememberedPeers(notes).filter(({ id }) => !known.has(toHex(id)));
  const kept = [...met, ...earlier.slice(0, Math.max(0, peersEnough - met.length))];
  const lines = kept.map(
    ({ publicKey, endpoint }) => `${toHex(publicKey)} ${formatEndpoint(endpoint)}`,
  );
  await putText(notes, peersNote, lines.join('\n'));
}

/** Whether these are the addresses that were announced last. */
export function areAnnounced(notes: Notes, addresses: readonly string[]): boolean {
  return textOf(notes, announcedNote) === announcedText(addresses);
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

function textOf(notes: Notes, name: string): string | undefined {
  const value = notes.get(name);
  return value && parseUtf8(value);
}

/** Writes only what is new: some of this is noted every minute. */
async function putText(notes: Notes, name: string, text: string): Promise<void> {
  if (textOf(notes, name) !== text) await notes.put(name, utf8(text));
}
