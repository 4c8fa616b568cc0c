/**
 * What nodes say to each other in a local network, as multicast DNS messages (docs/spec/nat.md,
 * "The local network"). Everything else on the network's port 5353 is passed over undecoded.
 */
import { AUTHORITATIVE_ANSWER, type Answer, decode, encode, type Packet } from 'dns-packet';
import { type Bytes, parseHex, parseUtf8, toHex } from '../base/bytes.ts';

/** What a node says of itself; its address is the one that the message comes from. */
export interface Announcement {
  /** Ed25519 node key, 32 bytes. */
  readonly publicKey: Bytes;
  /** UDP and TCP. */
  readonly port: number;
}

export type LanMessage =
  | { readonly kind: 'query' }
  | { readonly kind: 'announcement'; readonly announcement: Announcement };

const headerBytes = 12;
/** Fits into one frame of any network. An announcement has about 350. */
const messageBytesMax = 1400;
/** Of each of the four sections. */
const recordsMax = 16;
const ttlSeconds = 120;

/** `_altnet-1a2b3c4d._udp.local`: nodes of another network answer to another name. */
export function serviceName(networkId: Bytes): string {
  return `${serviceLabel(networkId)}._udp.local`;
}

function serviceLabel(networkId: Bytes): string {
  return `_altnet-${toHex(networkId.subarray(0, 4))}`;
}

export function encodeQuery(networkId: Bytes): Bytes {
  return encode({ type: 'query', questions: [{ type: 'PTR', name: serviceName(networkId) }] });
}

export function encodeAnnouncement(networkId: Bytes, { publicKey, port }: Announcement): Bytes {
  const service = serviceName(networkId);
  const label = toHex(publicKey.subarray(0, 8));
  const name = `${label}.${service}`;
  const common = { name, ttl: ttlSeconds, class: 'IN' } as const;
  return encode({
    type: 'response',
    flags: AUTHORITATIVE_ANSWER,
    answers: [{ type: 'PTR', name: service, ttl: ttlSeconds, class: 'IN', data: name }],
    additionals: [
      { ...common, type: 'SRV', data: { port, target: `${label}.local` } },
      { ...common, type: 'TXT', data: ['v=1', `k=${toHex(publicKey)}`] },
    ],
  });
}

/** Undefined for all that is not of this network, or not well-formed; never throws. */
export function decodeMessage(networkId: Bytes, bytes: Bytes): LanMessage | undefined {
  if (!isWorthDecoding(networkId, bytes)) return undefined;
  let packet: Packet;
  try {
    packet = decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  } catch {
    return undefined;
  }
  const service = serviceName(networkId);
  const { type, questions = [], answers = [], additionals = [] } = packet;
  if (type === 'query') {
    const asks = questions.some((each) => each.type === 'PTR' && isName(each.name, service));
    return asks ? { kind: 'query' } : undefined;
  }
  const announcement = announcementIn([...answers, ...additionals], service);
  return announcement && { kind: 'announcement', announcement };
}

/**
 * Counted first, as a packet of twelve octets may promise a quarter of a million records; and only
 * what names this network, so that what printers say to each other costs nothing.
 */
export function isWorthDecoding(networkId: Bytes, bytes: Bytes): boolean {
  if (bytes.length < headerBytes || bytes.length > messageBytesMax) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if ([4, 6, 8, 10].some((at) => view.getUint16(at) > recordsMax)) return false;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(
    serviceLabel(networkId),
  );
}

function announcementIn(records: readonly Answer[], service: string): Announcement | undefined {
  let port = 0;
  let publicKey: Bytes | undefined;
  for (const record of records) {
    if (!('name' in record) || !isName(record.name.slice(record.name.indexOf('.') + 1), service)) {
      continue;
    }
    if (record.type === 'SRV') port = record.data.port;
    if (record.type === 'TXT') publicKey ??= keyIn(record.data);
  }
  return publicKey && port > 0 ? { publicKey, port } : undefined;
}

/** DNS does not tell upper from lower case. */
function isName(name: string, wanted: string): boolean {
  return name.toLowerCase() === wanted;
}

function keyIn(data: unknown): Bytes | undefined {
  const texts: readonly unknown[] = Array.isArray(data) ? data : [data];
  for (const text of texts) {
    const plain = text instanceof Uint8Array ? parseUtf8(text) : text;
    if (typeof plain === 'string' && plain.startsWith('k=')) return parseHex(plain.slice(2), 32);
  }
  return undefined;
}
