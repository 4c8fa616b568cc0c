/** A node as others know it: its public key and where it is reached. */
import { type Endpoint, formatEndpoint } from '../base/address.ts';
import { type Bytes, toHex } from '../base/bytes.ts';
import { keyId } from './key.ts';

export interface Contact {
  /** SHA-256 of `publicKey`: the node ID, 32 bytes. */
  readonly id: Bytes;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Bytes;
  readonly endpoint: Endpoint;
}

/** The node ID follows from the key, so a contact cannot claim another node's ID. */
export function contactOf(publicKey: Bytes, endpoint: Endpoint): Contact {
  return { id: keyId(publicKey), publicKey, endpoint };
}

/** For people and logs: "ip:port#<first 40 digits of the node ID>". */
export function formatContact({ id, endpoint }: Contact): string {
  return `${formatEndpoint(endpoint)}#${shortId(id)}`;
}

/** The first 40 of an ID's 64 hex digits, for where space is short. */
export function shortId(id: Bytes): string {
  return toHex(id).slice(0, 40);
}
