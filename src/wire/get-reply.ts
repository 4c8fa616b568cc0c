/**
 * The body of a reply to GET: records, digests and contacts, as many as fit one datagram
 * (docs/spec/packets.md, "Reply payload"). It does not judge what the records say.
 */
import type { Bytes } from '../base/bytes.ts';
import type { GetReply, RecordDigest } from '../dht/ports.ts';
import { type Families, fitContacts, readContacts, writeContacts } from './contacts.ts';
import type { Decoded } from './failure.ts';
import { type Reader, Writer } from './octets.ts';
import { recordBytesMax } from './requests.ts';

export const digestBytes = 45;
/** As many as fit one reply. */
export const digestsMax = 23;

const digestProvisional = 1;
/** In the length of a record: no record is longer than 1,000 octets. */
const recordProvisional = 0x8000;

/** The counts of records, digests and contacts, and `next`. */
const getFixedBytes = 5;

/** What does not fit is left out from the end, contacts first. */
export function encodeGetReply(
  reply: GetReply,
  { room: capacity, want }: { room: number; want: Families },
): Bytes {
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
  for (const [i, record] of records.entries()) {
    const mark = reply.provisional[i] === true ? recordProvisional : 0;
    writer.u16(mark | record.length).bytes(record);
  }
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

export function decodeGetReply(reader: Reader): Decoded<GetReply> {
  const next = reader.u16();
  const recordCount = reader.u8();
  const records: Bytes[] = [];
  const provisional: boolean[] = [];
  for (let i = 0; i < recordCount && reader.complete; i++) {
    const marked = reader.u16();
    const recordBytes = marked & ~recordProvisional;
    if (recordBytes === 0 || recordBytes > recordBytesMax) return 'length';
    records.push(reader.bytes(recordBytes));
    provisional.push((marked & recordProvisional) !== 0);
  }
  const digestCount = reader.u8();
  if (digestCount > digestsMax) return 'count';
  const digests: RecordDigest[] = [];
  for (let i = 0; i < digestCount && reader.complete; i++) digests.push(readDigest(reader));
  const contacts = readContacts(reader);
  if (typeof contacts === 'string') return contacts;
  if (!reader.complete) return 'length';
  if (reader.left > 0) return 'trailing';
  return {
    method: 'get',
    records,
    provisional,
    digests,
    next: next === 0 ? undefined : next,
    contacts,
  };
}
