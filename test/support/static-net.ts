/**
 * A network that stands still, for tests of lookups without requests: everybody answers at once
 * with the 20 nodes nearest to what was asked, honestly or as a test has it lie.
 */
import type { Bytes } from '../../src/base/bytes.ts';
import type { Contact } from '../../src/identity/contact.ts';
import { compareDistance } from '../../src/dht/distance.ts';
import type { Lookup, LookupResult } from '../../src/dht/lookup/lookup.ts';
import { manualWorld } from './manual-world.ts';

/** IDs of 8 bytes; each node has a public /16 of its own, until those are used up. */
export function staticContact(id: Bytes, index: number): Contact {
  const ip = Uint8Array.of(20 + (index >> 8), index & 255, 0, 1);
  return { id, publicKey: id, endpoint: { ip, port: 9000 } };
}

export function staticNodes(count: number, seed = 1): Contact[] {
  const { random } = manualWorld(seed);
  return Array.from({ length: count }, (_, i) => staticContact(random.bytes(8), i));
}

/** One pass, as every answer asks for it: sorting all of them took most of the time of these tests. */
export function nearestOf(nodes: readonly Contact[], target: Bytes, count: number): Contact[] {
  const nearest: Contact[] = []; // BOUNDED by count
  for (const node of nodes) {
    let at = nearest.length;
    while (isNearer(target, node, nearest[at - 1])) at--;
    if (at >= count) continue;
    nearest.splice(at, 0, node);
    if (nearest.length > count) nearest.pop();
  }
  return nearest;
}

function isNearer(target: Bytes, node: Contact, than: Contact | undefined): boolean {
  return than !== undefined && compareDistance(target, node.id, than.id) < 0;
}

export interface Ran {
  readonly result: LookupResult;
  readonly probes: number;
}

/** Runs a lookup to its end; `answer` gives the contacts that a node names, undefined for none. */
export function runLookup(
  lookup: Lookup,
  target: Bytes,
  answer: (by: Contact, target: Bytes) => readonly Contact[] | undefined,
): Ran {
  const pending: (() => ReturnType<Lookup['advance']>)[] = [];
  let probes = 0;
  let state = lookup.advance({ type: 'start' });
  while (state.type === 'running') {
    for (const contact of state.ask) {
      pending.push(() => {
        const contacts = answer(contact, target);
        return contacts
          ? lookup.advance({ type: 'answered', contact, contacts, server: true })
          : lookup.advance({ type: 'failed', contact });
      });
    }
    for (const probe of state.probe) {
      probes++;
      const contacts = answer(probe.contact, probe.point) ?? [];
      pending.push(() => lookup.advance({ type: 'probed', probe, contacts }));
    }
    const next = pending.shift();
    if (!next) throw new Error('a running lookup waits for nobody');
    state = next();
  }
  return { result: state, probes };
}
