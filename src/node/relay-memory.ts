/** Which relays a node remembers from one run to the next: those last shown to work. */
import { formatEndpoint, parseEndpoint } from '../base/address.ts';
import { parseHex, parseUtf8, toHex, utf8 } from '../base/bytes.ts';
import type { RelayedAddress } from '../peer/peer-address.ts';
import type { RelayCandidate } from '../peer/relay/relay-client.ts';
import type { NoteStore } from '../store/notes.ts';

const relaysNote = 'node/relays';
const relaysMax = 8;

/** Those used last first; what cannot be read is left out. */
export function rememberedRelays(notes: Pick<NoteStore, 'get'>): RelayCandidate[] {
  const value = notes.get(relaysNote);
  const lines = ((value && parseUtf8(value)) ?? '').split('\n').slice(0, relaysMax);
  return lines.flatMap((line) => {
    const [key = '', address = ''] = line.split(' ');
    const publicKey = parseHex(key, 32);
    const endpoint = parseEndpoint(address);
    return publicKey && endpoint ? [{ publicKey, endpoint }] : [];
  });
}

/** Notes those that work before those of earlier, and forgets the useless ones. */
export async function rememberRelays(
  notes: Pick<NoteStore, 'get' | 'put'>,
  seen: Readonly<Record<'working' | 'useless', readonly RelayedAddress[]>>,
): Promise<void> {
  const working = seen.working.map(({ relayKey, endpoint }) => ({ publicKey: relayKey, endpoint }));
  const useless = new Set(seen.useless.map(({ relayKey }) => toHex(relayKey)));
  const lines = [...working, ...rememberedRelays(notes)].flatMap(({ publicKey, endpoint }) =>
    publicKey && !useless.has(toHex(publicKey))
      ? [`${toHex(publicKey)} ${formatEndpoint(endpoint)}`]
      : [],
  );
  const text = [...new Set(lines)].slice(0, relaysMax).join('\n');
  const before = notes.get(relaysNote);
  if (text !== ((before && parseUtf8(before)) ?? '')) await notes.put(relaysNote, utf8(text));
}
