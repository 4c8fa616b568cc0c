/** Which relays a node remembers from one run to the next: those last shown to work. */
import { type Endpoint, formatEndpoint, parseEndpoint } from '../base/address.ts';
import { parseHex, parseUtf8, toHex, utf8 } from '../base/bytes.ts';
import type { RelayedAddress } from '../peer/peer-address.ts';
import type { RelayCandidate } from '../peer/relay/relay-client.ts';
import type { NoteStore } from '../store/notes.ts';

const relaysNote = 'node/relays';
const relaysMax = 8;
/** A relay has a line for each of its addresses. */
const linesMax = 2 * relaysMax;

/** Those used last first, each with all of its addresses; what cannot be read is left out. */
export function rememberedRelays(notes: Pick<NoteStore, 'get'>): RelayCandidate[] {
  const relays = new Map<string, RememberedRelay>(); // BOUNDED by relaysMax
  for (const line of linesOf(notes)) {
    const [key = '', address = ''] = line.split(' ');
    const publicKey = parseHex(key, 32);
    const endpoint = parseEndpoint(address);
    if (!publicKey || !endpoint) continue;
    const before = relays.get(key);
    if (before) before.others.push(endpoint);
    else if (relays.size < relaysMax) relays.set(key, { publicKey, endpoint, others: [] });
  }
  return [...relays.values()];
}

interface RememberedRelay extends RelayCandidate {
  readonly others: Endpoint[]; // BOUNDED by linesMax
}

/** Notes those that work before those of earlier, and forgets the useless ones. */
export async function rememberRelays(
  notes: Pick<NoteStore, 'get' | 'put'>,
  seen: Readonly<Record<'working' | 'useless', readonly RelayedAddress[]>>,
): Promise<void> {
  const useless = new Set(seen.useless.map(({ relayKey }) => toHex(relayKey)));
  const working = seen.working.map(
    ({ relayKey, endpoint }) => `${toHex(relayKey)} ${formatEndpoint(endpoint)}`,
  );
  const lines = [...working, ...linesOf(notes)].filter((line) => {
    const [key = ''] = line.split(' ');
    return key !== '' && !useless.has(key);
  });
  const keys = new Set(lines.map((line) => line.split(' ')[0])); // BOUNDED by lines
  const kept = new Set([...keys].slice(0, relaysMax)); // BOUNDED by relaysMax
  const text = [...new Set(lines)]
    .filter((line) => kept.has(line.split(' ')[0]))
    .slice(0, linesMax)
    .join('\n');
  const before = notes.get(relaysNote);
  if (text !== ((before && parseUtf8(before)) ?? '')) await notes.put(relaysNote, utf8(text));
}

function linesOf(notes: Pick<NoteStore, 'get'>): readonly string[] {
  const value = notes.get(relaysNote);
  return ((value && parseUtf8(value)) ?? '').split('\n').slice(0, linesMax);
}
