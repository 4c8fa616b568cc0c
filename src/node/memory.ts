/** What a node remembers from one run to the next, besides records and blocks. */
import { formatEndpoint, parseEndpoint } from '../base/address.ts';
import { parseHex, parseUtf8, toHex, utf8 } from '../base/bytes.ts';
import { type Contact, contactOf } from '../identity/contact.ts';
import type { NoteStore } from '../store/notes.ts';

const peersNote = 'node/peers';
const announcedNote = 'node/announced';
const guideNote = 'node/guide';
const peersMax = 64;

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

export async function rememberPeers(notes: Notes, contacts: readonly Contact[]): Promise<void> {
  const lines = contacts
    .slice(0, peersMax)
    .map(({ publicKey, endpoint }) => `${toHex(publicKey)} ${formatEndpoint(endpoint)}`);
  await notes.put(peersNote, utf8(lines.join('\n')));
}

/** Whether these are other addresses than those announced last; notes them as announced. */
export async function noteAnnounced(notes: Notes, addresses: readonly string[]): Promise<boolean> {
  const text = addresses.toSorted().join('\n');
  if (textOf(notes, announcedNote) === text) return false;
  await notes.put(announcedNote, utf8(text));
  return true;
}

/** The root of the example site, once it was published. */
export function guideRoot(notes: Notes): string | undefined {
  return textOf(notes, guideNote);
}

export async function noteGuideRoot(notes: Notes, cid: string): Promise<void> {
  await notes.put(guideNote, utf8(cid));
}

function textOf(notes: Notes, name: string): string | undefined {
  const value = notes.get(name);
  return value && parseUtf8(value);
}
