/**
 * What a request is made of inside the seal: a head of 24 octets, a body, zero padding
 * (docs/spec/packets.md, "Request payload"). It knows no packets and no cryptography.
 */
import type { Bytes } from '../base/bytes.ts';
import type { GetMode, GetRequest, Method, ReachRequest, Request } from '../dht/ports.ts';
import { compactBytes, type Families, readContact, writeContact } from './contacts.ts';
import type { Decoded } from './failure.ts';
import { Reader, Writer } from './octets.ts';
import { datagramBytesMax, initOverheadBytes } from './packets.ts';

export const methodCodes: Readonly<Record<Method, number>> = {
  ping: 1,
  find: 2,
  get: 3,
  store: 4,
  sync: 5,
  announce: 6,
  reach: 7,
  leave: 8,
};
/**
 * What is answered only to who proved its address, because it changes something, makes us send to
 * others, costs a walk through what is stored, or counts against the network that it came from.
 */
export const tokenMethodCodes: ReadonlySet<number> = new Set([
  methodCodes.store,
  methodCodes.sync,
  methodCodes.announce,
  methodCodes.reach,
  methodCodes.leave,
]);
const getModes: readonly GetMode[] = ['full', 'digest', 'by-id'];

export const requestHeadBytes = 24;
export const requestBodyBytesMax = 1036;
export const tokenBytes = 8;
export const idPrefixBytes = 16;
export const idPrefixesMax = 2;
export const nonceBytes = 16;
/** Key 32, first 16 octets of SHA-256(record). */
export const syncEntryBytes = 48;
/** The least that a record can have: so no answer is longer than the question. */
const announcedBytesMin = 158;
/** The size limit of one record. */
export const recordBytesMax = 1000;

const flagServer = 1;
const flagXSign = 2;
const flagWantV4 = 4;
const flagWantV6 = 8;

export interface RequestHead {
  /** Whether the sender is in server mode. */
  readonly server: boolean;
  /** The sign of x in the sender's Ed25519 key: its X25519 key lacks it. */
  readonly xSign: boolean;
  readonly want: Families;
  /** Low 32 bits of the seq of the sender's contact record; 0 without one. */
  readonly contactSeq: number;
  /** 8 octets that the receiver once gave out; undefined: zeros on the wire. */
  readonly token: Bytes | undefined;
}

/** A request whose head was read; `body` is decoded by `decodeRequestBody`. */
export interface RequestPayload extends RequestHead {
  readonly methodCode: number;
  readonly body: Bytes;
}

/**
 * Without a token, a reply may not be longer than its request, so a request is made as long as its
 * longest useful reply. Octets of the whole INIT; 0 where the natural size does.
 */
function paddedInitBytes(request: Request, { token, want }: RequestHead): number {
  // Without the token that it needs, a request is answered by a fresh one and no body.
  if (token || tokenMethodCodes.has(methodCodes[request.method])) return 0;
  // Whether somebody is there, and no more: a contact record is for who pays for it.
  if (request.method === 'ping') return 224;
  if (request.method === 'find' && !want.v6) return 896; // room for 20 IPv4 contacts
  return datagramBytesMax;
}

export function encodeRequest(request: Request, head: RequestHead): Bytes {
  const body = encodeBody(request);
  const naturalBytes = requestHeadBytes + body.length;
  const payloadBytes = Math.max(naturalBytes, paddedInitBytes(request, head) - initOverheadBytes);
  return new Writer(payloadBytes)
    .u8(methodCodes[request.method])
    .u8(encodeFlags(head))
    .u16(body.length)
    .u32(head.contactSeq)
    .zeros(8)
    .bytes(head.token ?? new Uint8Array(tokenBytes))
    .bytes(body)
    .zeros(payloadBytes - naturalBytes)
    .done();
}

function encodeFlags({ server, xSign, want }: RequestHead): number {
  return (
    (server ? flagServer : 0) |
    (xSign ? flagXSign : 0) |
    (want.v4 ? flagWantV4 : 0) |
    (want.v6 ? flagWantV6 : 0)
  );
}

function encodeBody(request: Request): Bytes {
  switch (request.method) {
    case 'ping':
      return request.nonce ?? new Uint8Array(0);
    case 'find':
      return request.target;
    case 'get':
      return encodeGet(request);
    case 'store':
    case 'announce':
      return request.record;
    case 'sync':
      return request.after;
    case 'leave':
      return new Uint8Array(0);
    case 'reach':
    default:
      return encodeReach(request);
  }
}

function encodeReach({ nonce, target }: ReachRequest): Bytes {
  const writer = new Writer(nonceBytes + (target ? compactBytes(target) : 0)).bytes(nonce);
  if (target) writeContact(writer, target);
  return writer.done();
}

function encodeGet({ key, mode, minSeq, cursor, ids }: GetRequest): Bytes {
  const writer = new Writer(32 + 1 + 8 + 2 + ids.length * idPrefixBytes)
    .bytes(key)
    .u8(getModes.indexOf(mode))
    .u64(minSeq)
    .u16(cursor);
  for (const id of ids) writer.bytes(id);
  return writer.done();
}

/** Reserved octets, unknown flags and padding are not looked at, so that they can get a meaning. */
export function decodeRequestPayload(payload: Bytes): Decoded<RequestPayload> {
  const reader = new Reader(payload);
  const methodCode = reader.u8();
  const flags = reader.u8();
  const bodyBytes = reader.u16();
  const contactSeq = reader.u32();
  reader.skip(8);
  const token = reader.bytes(tokenBytes);
  if (bodyBytes > requestBodyBytesMax) return 'length';
  const body = reader.bytes(bodyBytes);
  if (!reader.complete) return 'length';
  return {
    methodCode,
    server: (flags & flagServer) !== 0,
    xSign: (flags & flagXSign) !== 0,
    want: { v4: (flags & flagWantV4) !== 0, v6: (flags & flagWantV6) !== 0 },
    contactSeq,
    token: token.some((byte) => byte !== 0) ? token : undefined,
    body,
  };
}

export function decodeRequestBody({ methodCode, body }: RequestPayload): Decoded<Request> {
  switch (methodCode) {
    case methodCodes.ping:
      if (body.length === 0) return { method: 'ping' };
      return body.length === nonceBytes ? { method: 'ping', nonce: body } : 'length';
    case methodCodes.find:
      return body.length === 32 ? { method: 'find', target: body } : 'length';
    case methodCodes.get:
      return decodeGet(new Reader(body));
    case methodCodes.store:
      if (body.length === 0 || body.length > recordBytesMax) return 'length';
      return { method: 'store', record: body };
    case methodCodes.announce:
      if (body.length < announcedBytesMin || body.length > recordBytesMax) return 'length';
      return { method: 'announce', record: body };
    case methodCodes.sync:
      return body.length === syncEntryBytes ? { method: 'sync', after: body } : 'length';
    case methodCodes.reach:
      return decodeReach(new Reader(body));
    case methodCodes.leave:
      return body.length === 0 ? { method: 'leave' } : 'length';
    default:
      return 'method';
  }
}

function decodeGet(reader: Reader): Decoded<GetRequest> {
  const key = reader.bytes(32);
  const mode = getModes[reader.u8()];
  const minSeq = reader.u64();
  const cursor = reader.u16();
  if (!reader.complete) return 'length';
  if (mode === undefined) return 'mode';
  if (reader.left % idPrefixBytes !== 0) return 'length';
  const idCount = reader.left / idPrefixBytes;
  if (idCount > idPrefixesMax || (mode !== 'by-id' && idCount > 0)) return 'count';
  const ids = Array.from({ length: idCount }, () => reader.bytes(idPrefixBytes));
  return { method: 'get', key, mode, minSeq, cursor, ids };
}

function decodeReach(reader: Reader): Decoded<ReachRequest> {
  const nonce = reader.bytes(nonceBytes);
  if (!reader.complete) return 'length';
  if (reader.left === 0) return { method: 'reach', nonce, target: undefined };
  const target = readContact(reader);
  if (typeof target === 'string') return target;
  return reader.left === 0 ? { method: 'reach', nonce, target } : 'trailing';
}
