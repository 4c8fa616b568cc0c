/**
 * What a request is made of inside the seal: a head of 24 octets, a body, zero padding
 * (docs/spec/packets.md, "Request payload"). It knows no packets and no cryptography.
 */
import type { Bytes } from '../base/bytes.ts';
import type { GetMode, GetRequest, Method, Request } from '../dht/ports.ts';
import type { Families } from './contacts.ts';
import type { Decoded } from './failure.ts';
import { Reader, Writer } from './octets.ts';
import { datagramBytesMax, initOverheadBytes } from './packets.ts';

/** 5 SYNC, 6 ANNOUNCE and 7 REACH are set aside. */
export const methodCodes: Readonly<Record<Method, number>> = { ping: 1, find: 2, get: 3, store: 4 };
const getModes: readonly GetMode[] = ['full', 'digest', 'by-id'];

export const requestHeadBytes = 24;
export const requestBodyBytesMax = 1036;
export const tokenBytes = 8;
export const idPrefixBytes = 16;
export const idPrefixesMax = 2;
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
function paddedInitBytes(method: Method, { token, want }: RequestHead): number {
  if (token || method === 'store') return 0;
  if (method === 'ping') return 768; // room for a contact record
  if (method === 'find' && !want.v6) return 896; // room for 20 IPv4 contacts
  return datagramBytesMax;
}

export function encodeRequest(request: Request, head: RequestHead): Bytes {
  const body = encodeBody(request);
  const naturalBytes = requestHeadBytes + body.length;
  const payloadBytes = Math.max(
    naturalBytes,
    paddedInitBytes(request.method, head) - initOverheadBytes,
  );
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
  if (request.method === 'ping') return new Uint8Array(0);
  if (request.method === 'find') return request.target;
  if (request.method === 'store') return request.record;
  return encodeGet(request);
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
      return body.length === 0 ? { method: 'ping' } : 'trailing';
    case methodCodes.find:
      return body.length === 32 ? { method: 'find', target: body } : 'length';
    case methodCodes.get:
      return decodeGet(new Reader(body));
    case methodCodes.store:
      if (body.length === 0 || body.length > recordBytesMax) return 'length';
      return { method: 'store', record: body };
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
