/**
 * What a reply is made of inside the seal: a head of 48 octets and a body
 * (docs/spec/packets.md, "Response payload"). It knows no packets and no cryptography.
 */
import type { Endpoint } from '../base/address.ts';
import { type Bytes, compareBytes } from '../base/bytes.ts';
import type { FindReply, Method, Reply, StoreReply, SyncEntry, SyncReply } from '../dht/ports.ts';
import { type StoreStatus, storeStatuses, storeStatusName } from '../record/kinds.ts';
import {
  type Families,
  fitContacts,
  readAddress,
  readContacts,
  writeAddress,
  writeContacts,
} from './contacts.ts';
import type { Decoded } from './failure.ts';
import { decodeGetReply, encodeGetReply } from './get-reply.ts';
import { Reader, Writer } from './octets.ts';
import { idPrefixBytes, recordBytesMax, syncEntryBytes, tokenBytes } from './requests.ts';

export const replyHeadBytes = 48;
export const replyBodyBytesMax = 1080;
/** As many as fit one reply. */
export const syncEntriesMax = 22;

const flagServer = 1;
const syncMore = 1;
const reachAccepted = 1;
/** Flags and count. */
const syncFixedBytes = 2;

export interface ReplyHead {
  /** 0, or why the request was refused; for STORE also how it went. */
  readonly status: StoreStatus;
  /** Whether the answerer is in server mode. */
  readonly server: boolean;
  /** The asker's address as the answerer sees it. */
  readonly observed: Endpoint;
  /** 8 octets for the asker's next request. */
  readonly token: Bytes;
  /** Low 32 bits of the seq of the answerer's contact record; 0 without one. */
  readonly contactSeq: number;
  /** The answerer's clock, unix seconds. */
  readonly unixTime: number;
  /** Servers in the network as the answerer estimates them; undefined: it does not say. */
  readonly networkSize: number | undefined;
}

/** A reply whose head was read; `body` is decoded by `decodeReplyBody`. */
export interface ReplyPayload extends ReplyHead {
  readonly body: Bytes;
}

/** `status` is that of the reply where it has one. A body that is too long is a RangeError. */
export function encodeReplyPayload(head: ReplyHead, body: Bytes): Bytes {
  const writer = new Writer(replyHeadBytes + body.length)
    .u8(head.status)
    .u8(head.server ? flagServer : 0)
    .u16(body.length);
  writeAddress(writer, head.observed);
  return writer
    .bytes(head.token)
    .zeros(8)
    .u32(head.contactSeq)
    .u32(head.unixTime)
    .u8(encodeNetworkSize(head.networkSize))
    .zeros(1)
    .bytes(body)
    .done();
}

/** Reserved octets, unknown flags and what follows the body are not looked at. */
export function decodeReplyPayload(payload: Bytes): Decoded<ReplyPayload> {
  const reader = new Reader(payload);
  const status = reader.u8();
  const flags = reader.u8();
  const bodyBytes = reader.u16();
  const observed = readAddress(reader);
  const token = reader.bytes(tokenBytes);
  reader.skip(8);
  const contactSeq = reader.u32();
  const unixTime = reader.u32();
  const networkSize = decodeNetworkSize(reader.u8());
  reader.skip(1);
  if (bodyBytes > replyBodyBytesMax) return 'length';
  const body = reader.bytes(bodyBytes);
  if (!reader.complete) return 'length';
  if (!observed) return 'address';
  if (!isStoreStatus(status)) return 'status';
  const server = (flags & flagServer) !== 0;
  return { status, server, observed, token, contactSeq, unixTime, networkSize, body };
}

/** Eighths of its binary logarithm: an error of at most 4.5 %, far less than the estimate's own. */
function encodeNetworkSize(size: number | undefined): number {
  if (size === undefined || !(size >= 1)) return 0;
  return Math.min(255, Math.max(1, Math.round(8 * Math.log2(size))));
}

function decodeNetworkSize(octet: number): number | undefined {
  return octet === 0 ? undefined : 2 ** (octet / 8);
}

function isStoreStatus(code: number): code is StoreStatus {
  return storeStatusName(code) !== 'UNKNOWN';
}

/** The status octet of a reply: OK unless it is an answer to STORE. */
export function statusOf(reply: Reply): StoreStatus {
  return reply.method === 'store' ? reply.status : storeStatuses.OK;
}

/**
 * The body in at most `room` octets. What does not fit is left out from the end, contacts first:
 * an asker that wants all of it leaves room for it. Contacts of families not wanted are left out.
 */
export function encodeReplyBody(
  reply: Reply,
  { room, want }: { room: number; want: Families },
): Bytes {
  const capacity = Math.min(room, replyBodyBytesMax);
  switch (reply.method) {
    case 'ping':
      return fitOrNothing(reply.contactRecord, capacity);
    case 'find':
      return encodeFind(reply, capacity, want);
    case 'get':
      return encodeGetReply(reply, { room: capacity, want });
    case 'store':
      return fitOrNothing(encodeStoreBody(reply), capacity);
    case 'sync':
      return encodeSync(reply, capacity);
    case 'announce':
    case 'leave':
      return new Uint8Array(0);
    case 'reach':
    default:
      return Uint8Array.of(reply.accepted ? reachAccepted : 0);
  }
}

function fitOrNothing(record: Bytes | undefined, capacity: number): Bytes {
  return record && record.length <= capacity ? record : new Uint8Array(0);
}

/** The statuses that say a number instead of showing a record. */
const detailed: ReadonlySet<StoreStatus> = new Set([storeStatuses.POW, storeStatuses.RATE]);

function encodeStoreBody({ status, conflicting, detail }: StoreReply): Bytes | undefined {
  if (!detailed.has(status)) return conflicting;
  return detail === undefined ? undefined : new Writer(2).u16(Math.min(detail, 0xffff)).done();
}

function encodeFind({ contacts }: FindReply, capacity: number, want: Families): Bytes {
  const writer = new Writer(Math.max(1, capacity));
  writeContacts(writer, fitContacts(contacts, { room: capacity - 1, want }));
  return writer.done();
}

function encodeSync({ entries, more }: SyncReply, capacity: number): Bytes {
  const fitting = Math.max(0, Math.floor((capacity - syncFixedBytes) / syncEntryBytes));
  const sent = entries.slice(0, Math.min(fitting, syncEntriesMax));
  const writer = new Writer(syncFixedBytes + sent.length * syncEntryBytes)
    .u8(more || sent.length < entries.length ? syncMore : 0)
    .u8(sent.length);
  for (const { key, hash } of sent) writer.bytes(key).bytes(hash);
  return writer.done();
}

/** The reply to a request of this method. */
export function decodeReplyBody(
  method: Method,
  { status, body }: Pick<ReplyPayload, 'status' | 'body'>,
): Decoded<Reply> {
  switch (method) {
    case 'ping':
      if (body.length > recordBytesMax) return 'length';
      return { method, contactRecord: body.length > 0 ? body : undefined };
    case 'find':
      return decodeFind(new Reader(body));
    case 'get':
      return decodeGetReply(new Reader(body));
    case 'store':
      return decodeStore(status, body);
    case 'sync':
      return decodeSync(new Reader(body));
    case 'announce':
    case 'leave':
      return body.length === 0 ? { method } : 'length';
    case 'reach':
    default:
      if (body.length !== 1) return 'length';
      return { method, accepted: ((body[0] ?? 0) & reachAccepted) !== 0 };
  }
}

function decodeStore(status: StoreStatus, body: Bytes): Decoded<StoreReply> {
  const method = 'store';
  if (body.length === 0) return { method, status, conflicting: undefined, detail: undefined };
  if (detailed.has(status)) {
    if (body.length !== 2) return 'length';
    return { method, status, conflicting: undefined, detail: new Reader(body).u16() };
  }
  if (body.length > recordBytesMax) return 'length';
  return { method, status, conflicting: body, detail: undefined };
}

/** In ascending order, so that who goes from page to page by the last entry comes to an end. */
function decodeSync(reader: Reader): Decoded<SyncReply> {
  const flags = reader.u8();
  const count = reader.u8();
  if (count > syncEntriesMax) return 'count';
  if (reader.left < count * syncEntryBytes || !reader.complete) return 'length';
  if (reader.left > count * syncEntryBytes) return 'trailing';
  const entries: SyncEntry[] = [];
  for (let i = 0, before: SyncEntry | undefined; i < count; i++) {
    const entry = { key: reader.bytes(32), hash: reader.bytes(idPrefixBytes) };
    if (before && !precedes(before, entry)) return 'order';
    entries.push(entry);
    before = entry;
  }
  return { method: 'sync', entries, more: (flags & syncMore) !== 0 };
}

function precedes(a: SyncEntry, b: SyncEntry): boolean {
  const byKey = compareBytes(a.key, b.key);
  return byKey < 0 || (byKey === 0 && compareBytes(a.hash, b.hash) < 0);
}

function decodeFind(reader: Reader): Decoded<FindReply> {
  const contacts = readContacts(reader);
  if (typeof contacts === 'string') return contacts;
  if (!reader.complete) return 'length';
  return reader.left === 0 ? { method: 'find', contacts } : 'trailing';
}
