/**
 * The DHT as the search for providers. What this node holds itself was handed to it by others, so
 * its own answer is trusted with addresses no more than the farthest peer that it knows.
 */
import { type Endpoint, type Scope, scopeOf } from '../base/address.ts';
import type { Bytes } from '../base/bytes.ts';
import type { ProviderSearch } from '../content/ports.ts';
import type { Dht } from '../dht/dht.ts';
import { contactOf } from '../identity/contact.ts';
import { recordKinds } from '../record/kinds.ts';

export function providerSearch(dht: Dht, ownKey: Bytes): ProviderSearch {
  return {
    async *gather(key, { signal } = {}) {
      for await (const { from, records } of dht.gather(key, {
        signal,
        kind: recordKinds.provider,
      })) {
        yield { from: from === 'self' ? contactOf(ownKey, farthestPeer(dht)) : from, records };
      }
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
