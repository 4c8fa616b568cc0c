/** Voters, answers and helpers for tests of src/dht/mode. */
import { type Endpoint, parseEndpoint } from '../../src/base/address.ts';
import { sha256 } from '../../src/base/hash.ts';
import type { ReplyInfo, Requester } from '../../src/dht/ports.ts';
import { type Contact, contactOf } from '../../src/identity/contact.ts';

export function endpointAt(text: string): Endpoint {
  const endpoint = parseEndpoint(text);
  if (!endpoint) throw new Error(`not an endpoint: ${text}`);
  return endpoint;
}

/** A node whose key depends on `seed`, or else on where it is. */
export function contactAt(text: string, seed: string = text): Contact {
  return contactOf(sha256(new TextEncoder().encode(seed)), endpointAt(text));
}

/** Node `n`, in a /16 of its own. */
export function strangerAt(n: number): Contact {
  return contactAt(`45.${n}.0.1:9000`);
}

export function seeing(observed: string, over: Partial<ReplyInfo> = {}): ReplyInfo {
  return {
    rttMs: 0,
    observed: endpointAt(observed),
    unixTime: 1_767_225_600,
    server: true,
    networkSize: undefined,
    ...over,
  };
}

export function requesterAt(contact: Contact, over: Partial<Requester> = {}): Requester {
  return { contact, server: true, addressProven: true, ...over };
}
