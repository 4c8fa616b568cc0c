/**
 * The DHT as the search for providers, and for nodes that keep copies. What this node holds itself
 * was handed to it by others, so its own answer is trusted with addresses no more than the farthest
 * peer that it knows.
 */
import { type Endpoint, type Scope, scopeOf } from '../base/address.ts';
import type { Bytes } from '../base/bytes.ts';
import type { KeeperSearch, ProviderSearch } from '../content/ports.ts';
import { type Dht, dhtDefaults } from '../dht/dht.ts';
import { isTooFar } from '../dht/lookup/closeness.ts';
import { showsAbsence } from '../dht/reading/absence.ts';
import type { GatherEnd } from '../dht/reading/gather.ts';
import { contactOf } from '../identity/contact.ts';
import { recordKinds } from '../record/kinds.ts';

/** `expects`: whether others may be found although nobody was named to the DHT yet. */
export function providerSearch(
  dht: Dht,
  ownKey: Bytes,
  { expects = false }: { readonly expects?: boolean } = {},
): ProviderSearch {
  const isConclusive = (end: GatherEnd): boolean => {
    if (dht.isAlone() && !expects) return true;
    return showsAbsence(end, { k: dhtDefaults.k, isSettled: dht.isSettled() });
  };

  return {
    async *gather(key, { signal, isPatient = false } = {}) {
      const patience = isPatient ? 'patient' : 'thorough';
      const search = dht.gather(key, { signal, patience, kind: recordKinds.provider });
      try {
        for (;;) {
          const step = await search.next();
          if (step.done === true) return { isConclusive: isConclusive(step.value) };
          const { from, records } = step.value;
          yield { from: from === 'self' ? contactOf(ownKey, farthestPeer(dht)) : from, records };
        }
      } finally {
        await search.return(stopped);
      }
    },
  };
}

/** What a search comes to that nobody reads to its end. */
const stopped: GatherEnd = { asked: 0, answered: 0, closest: [], complete: false };

/** Servers keep copies near their own ID, by the rule by which they keep records. */
export function keeperSearch(dht: Dht, { id: self }: { readonly id: Bytes }): KeeperSearch {
  return {
    async closest(key, { signal } = {}) {
      const { closest } = await dht.lookup(key, { signal });
      return closest;
    },
    isFar(key) {
      const networkSize = dht.networkSize();
      const contacts = (): ReturnType<typeof dht.table.contacts> => dht.table.contacts();
      return isTooFar(key, { self, contacts, networkSize, k: dhtDefaults.k });
    },
  };
}

const loopback: Endpoint = { ip: Uint8Array.of(127, 0, 0, 1), port: 1 };
const reach: Readonly<Record<Scope, number>> = { bogon: 0, loopback: 1, private: 2, global: 3 };

function farthestPeer(dht: Dht): Endpoint {
  let farthest = loopback;
  for (const { endpoint } of dht.table.contacts()) {
    if (reach[scopeOf(endpoint.ip)] > reach[scopeOf(farthest.ip)]) farthest = endpoint;
  }
  return farthest;
}
