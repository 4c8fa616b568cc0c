/**
 * Where a peer is reached: at an endpoint of its own, or through a relay, as text and in octets.
 * Nothing else is taken from records: no host names, so that a record cannot make a node ask a DNS
 * server, and only relays whose node key is in the address, as those of AltNet nodes are.
 */
import { publicKeyFromRaw } from '@libp2p/crypto/keys';
import { peerIdFromPublicKey, peerIdFromString } from '@libp2p/peer-id';
import type { Endpoint } from '../base/address.ts';
import { type Bytes, concatBytes, equalBytes, toHex } from '../base/bytes.ts';
import { decodeMultiaddr, encodeMultiaddr, formatMultiaddr, parseMultiaddr } from './address.ts';

export interface PeerAddress {
  /** Of the peer itself, or of its relay. */
  readonly endpoint: Endpoint;
  /** Node key of the relay, 32 bytes; undefined where the peer itself listens. */
  readonly relayKey?: Bytes | undefined;
}

/** A way through a relay. */
export type RelayedAddress = PeerAddress & { readonly relayKey: Bytes };

const circuit = '/p2p-circuit';
/** Longer than the longest that is taken: an IPv6 address with two peer IDs has 180. */
const textMax = 256;

/** "/ip4/1.2.3.4/tcp/9000", for a relay followed by "/p2p/<its peer ID>/p2p-circuit". */
export function formatPeerAddress({ endpoint, relayKey }: PeerAddress): string {
  const at = formatMultiaddr(endpoint);
  return relayKey ? `${at}/p2p/${peerIdText(relayKey)}${circuit}` : at;
}

/** A trailing /p2p/… (the peer itself) is ignored; undefined for anything else. */
export function parsePeerAddress(text: string): PeerAddress | undefined {
  if (text.length > textMax) return undefined;
  const at = text.indexOf(circuit);
  if (at < 0) {
    const endpoint = parseMultiaddr(text);
    return endpoint && { endpoint };
  }
  if (!/^(?:\/p2p\/[0-9A-Za-z]+)?$/.test(text.slice(at + circuit.length))) return undefined;
  const relay = text.slice(0, at);
  const endpoint = parseMultiaddr(relay);
  const relayKey = keyOfPeerId(/\/p2p\/([0-9A-Za-z]+)$/.exec(relay)?.[1] ?? '');
  return endpoint && relayKey && { endpoint, relayKey };
}

/** What comes between the endpoint of a relay and its key: /p2p, a length, an identity hash. */
const keyHead = Uint8Array.of(0xa5, 0x03, 0x26, 0x00, 0x24, 0x08, 0x01, 0x12, 0x20);
const circuitTail = Uint8Array.of(0xa2, 0x02);
const keyBytes = 32;
const relayedBytes = keyHead.length + keyBytes + circuitTail.length;

/** 8 bytes (IPv4) or 20 (IPv6); 51 or 63 through a relay. */
export function encodePeerAddress({ endpoint, relayKey }: PeerAddress): Bytes {
  const at = encodeMultiaddr(endpoint);
  return relayKey ? concatBytes(at, keyHead, relayKey, circuitTail) : at;
}

/** Undefined for anything that encodePeerAddress does not give. */
export function decodePeerAddress(bytes: Bytes): PeerAddress | undefined {
  const direct = decodeMultiaddr(bytes);
  if (direct) return { endpoint: direct };
  const at = bytes.length - relayedBytes;
  if (at <= 0) return undefined;
  const endpoint = decodeMultiaddr(bytes.subarray(0, at));
  const keyAt = at + keyHead.length;
  const isRelayed =
    equalBytes(bytes.subarray(at, keyAt), keyHead) &&
    equalBytes(bytes.subarray(keyAt + keyBytes), circuitTail);
  return endpoint && isRelayed
    ? { endpoint, relayKey: bytes.slice(keyAt, keyAt + keyBytes) }
    : undefined;
}

/** For telling two of them apart. */
export function peerAddressKey({ endpoint, relayKey }: PeerAddress): string {
  return `${formatMultiaddr(endpoint)} ${relayKey ? toHex(relayKey) : ''}`;
}

/** The peer ID of a node key: "12D3KooW…". */
export function peerIdText(publicKey: Bytes): string {
  return peerIdFromPublicKey(publicKeyFromRaw(publicKey)).toString();
}

function keyOfPeerId(text: string): Bytes | undefined {
  try {
    const peer = peerIdFromString(text);
    return peer.type === 'Ed25519' ? peer.publicKey.raw : undefined;
  } catch {
    return undefined; // no peer ID at all
  }
}
