/**
 * What a reply is made of inside the seal: a head of 48 octets and a body
 * (docs/spec/packets.md, "Response payload"). It knows no packets and no cryptography.
 */
import type { Endpoint } from '../base/address.ts';
import type { Bytes } from '../base/bytes.ts';
import type { FindReply, GetReply, Method, RecordDigest, Reply } from '../dht/ports.ts';
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
import { Reader, Writer } from './octets.ts';
import { recordBytesMax, tokenBytes } from './requests.ts';

export const replyHeadBytes = 48;
export const replyBodyBytesMax = 1080;
export const digestBytes = 45;
/** As many as fit one reply. */
export const digestsMax = 23;

const flagServer = 1;
const digestProvisional = 1;

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
    .zeros(2)
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
  reader.skip(2);
  if (bodyBytes > replyBodyBytesMax) return 'length';
  const body = reader.bytes(bodyBytes);
  if (!reader.complete) return 'length';
  if (!observed) return 'address';
  if (!isStoreStatus(status)) return 'status';
  const server = (flags & flagServer) !== 0;
  return { status, server, observed, token, contactSeq, unixTime, body };
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
  if (reply.method === 'ping') return fitOrNothing(reply.contactRecord, capacity);
  if (reply.method === 'store') return fitOrNothing(reply.conflicting, capacity);
  if (reply.method === 'find') return encodeFind(reply, capacity, want);
  return encodeGet(reply, capacity, want);
}

function fitOrNothing(record: Bytes | undefined, capacity: number): Bytes {
  return record && record.length <= capacity ? record : new Uint8Array(0);
}

function encodeFind({ contacts }: FindReply, capacity: number, want: Families): Bytes {
  const writer = new Writer(Math.max(1, capacity));
  writeContacts(writer, fitContacts(contacts, { room: capacity - 1, want }));
  return writer.done();
}

/** The counts of records, digests and contacts, and `next`. */
const getFixedBytes = 5;

function encodeGet(reply: GetReply, capacity: number, want: Families): Bytes {
  let room = capacity - getFixedBytes;
  const records = takeWhileFits(reply.records, (record) => (room -= 2 + record.length) >= 0);
  const allRecords = records.length === reply.records.length;
  const digests = takeWhileFits(
    allRecords ? reply.digests : [],
    () => (room -= digestBytes) >= 0,
  ).slice(0, digestsMax);
  const used = getFixedBytes + sizeOf(records) + digests.length * digestBytes;

  const writer = new Writer(Math.max(getFixedBytes, capacity)).u16(reply.next ?? 0);
  writer.u8(records.length);
  for (const record of records) writer.u16(record.length).bytes(record);
  writer.u8(digests.length);
  for (const digest of digests) writeDigest(writer, digest);
  writeContacts(writer, fitContacts(reply.contacts, { room: capacity - used, want }));
  return writer.done();
}

function takeWhileFits<T>(items: readonly T[], fits: (item: T) => boolean): T[] {
  const end = items.findIndex((item) => !fits(item));
  return items.slice(0, end < 0 ? items.length : end);
}

function sizeOf(records: readonly Bytes[]): number {
  return records.reduce((sum, record) => sum + 2 + record.length, 0);
}

function writeDigest(writer: Writer, digest: RecordDigest): void {
  writer
    .bytes(digest.hash)
    .bytes(digest.author)
    .u64(digest.seq)
    .u16(digest.heldHours)
    .u16(digest.size)
    .u8(digest.provisional ? digestProvisional : 0);
}

function readDigest(reader: Reader): RecordDigest {
  return {
    hash: reader.bytes(16),
    author: reader.bytes(16),
    seq: reader.u64(),
    heldHours: reader.u16(),
    size: reader.u16(),
    provisional: (reader.u8() & digestProvisional) !== 0,
  };
}

/** The reply to a request of this method. */
export function decodeReplyBody(
  method: Method,
  { status, body }: Pick<ReplyPayload, 'status' | 'body'>,
): Decoded<Reply> {
  if (method === 'find') return decodeFind(new Reader(body));
  if (method === 'get') return decodeGet(new Reader(body));
  if (body.length > recordBytesMax) return 'length';
  const record = body.length > 0 ? body : undefined;
  if (method === 'ping') return { method, contactRecord: record };
  return { method, status, conflicting: record };
}

function decodeFind(reader: Reader): Decoded<FindReply> {
  const contacts = readContacts(reader);
  if (typeof contacts === 'string') return contacts;
  if (!reader.complete) return 'length';
  return reader.left === 0 ? { method: 'find', contacts } : 'trailing';
}

function decodeGet(reader: Reader): Decoded<GetReply> {
  const next = reader.u16();
  const recordCount = reader.u8();
  const records: Bytes[] = [];
  for (let i = 0; i < recordCount && reader.complete; i++) {
    const recordBytes = reader.u16();
    if (recordBytes === 0 || recordBytes > recordBytesMax) return 'length';
    records.push(reader.bytes(recordBytes));
  }
  const digestCount = reader.u8();
  if (digestCount > digestsMax) return 'count';
  const digests: RecordDigest[] = [];
  for (let i = 0; i < digestCount && reader.complete; i++) digests.push(readDigest(reader));
  const contacts = readContacts(reader);
  if (typeof contacts === 'string') return contacts;
  if (!reader.complete) return 'length';
  if (reader.left > 0) return 'trailing';
  return { method: 'get', records, digests, next: next === 0 ? undefined : next, contacts };
}
