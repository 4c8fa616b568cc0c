/**
 * Reading what another resolver says (docs/spec/dns.md, "Forwarding"): whether it is the answer to
 * our question, how long it holds, and where its TTLs stand. What the records say is passed on as
 * it is, so types that nobody knew when this was written survive. Each octet is walked over once.
 * Pure.
 */
import type { Bytes } from '../../base/bytes.ts';
import { flags, headerBytes, rcodes, types } from '../codes.ts';
import { uint16 } from '../query.ts';

export interface Reply {
  readonly kind: 'reply';
  readonly rcode: number;
  readonly isTruncated: boolean;
  /** Header, question and records; without an OPT record, which is between two neighbours. */
  readonly octets: Bytes;
  readonly ttlOffsets: readonly number[];
  /** How long it holds: 0 when it is not to be remembered. */
  readonly ttlSeconds: number;
}

export type ParsedReply =
  | Reply
  /** Not to this question: from somebody who guesses, or to an earlier one. */
  | { readonly kind: 'mismatch' }
  /** To this question, and cannot be read. */
  | { readonly kind: 'broken' };

const mismatch: ParsedReply = { kind: 'mismatch' };
const broken: ParsedReply = { kind: 'broken' };

/** However sure its owner is: names move. */
const positiveTtlMaxSeconds = 86_400;
/** RFC 2308, 5: one to three hours. */
const negativeTtlMaxSeconds = 3600;

/** `key`: the question in lower case, one character per octet. */
export function parseReply(
  message: Bytes,
  { id, key }: { readonly id: number; readonly key: string },
): ParsedReply {
  if (message.length < headerBytes + key.length || uint16(message, 0) !== id) return mismatch;
  const head = uint16(message, 2);
  if ((head & flags.response) === 0 || (head & flags.opcode) !== 0) return mismatch;
  if (uint16(message, 4) !== 1 || !isQuestion(message, key)) return mismatch;
  const walk = walkRecords(message, headerBytes + key.length);
  if (!walk) return broken;
  const rcode = (head & flags.rcode) | (walk.extendedRcode << 4);
  return {
    kind: 'reply',
    rcode,
    isTruncated: (head & flags.truncated) !== 0,
    octets: withoutOpt(message, walk),
    ttlOffsets: walk.ttlOffsets.filter((at) => at < walk.end),
    ttlSeconds: ttlOf(rcode, walk),
  };
}

function isQuestion(message: Bytes, key: string): boolean {
  const name = key.length - 4; // type and class have no case
  for (let i = 0; i < key.length; i++) {
    const octet = message[headerBytes + i] ?? 0;
    const isUpper = i < name && octet >= 0x41 && octet <= 0x5a;
    if ((isUpper ? octet | 0x20 : octet) !== key.charCodeAt(i)) return false;
  }
  return true;
}

interface Walk {
  readonly ttlOffsets: readonly number[];
  /** The least of the answer section. */
  readonly answerTtl: number | undefined;
  /** Of the SOA record in the authority section. */
  readonly negativeTtl: number | undefined;
  readonly extendedRcode: number;
  /** Where what is passed on ends, and how many additional records that leaves. */
  readonly end: number;
  readonly additional: number;
}

/** Undefined when records are cut off, or more than they say. */
function walkRecords(message: Bytes, from: number): Walk | undefined {
  const counts = [uint16(message, 6), uint16(message, 8), uint16(message, 10)];
  const ttlOffsets: number[] = []; // BOUNDED by the message: a record has 11 octets at least
  let [answerTtl, negativeTtl]: (number | undefined)[] = [];
  let opt:
    | { readonly at: number; readonly end: number; readonly extendedRcode: number }
    | undefined;
  let additionalAt = from;
  let at = from;
  for (const [section, count] of counts.entries()) {
    if (section === 2) additionalAt = at;
    for (let left = count; left > 0; left--) {
      const record = readRecord(message, at);
      if (!record) return undefined;
      const { type, head, end, ttl } = record;
      if (type === types.opt) opt = { at, end, extendedRcode: message[head + 4] ?? 0 };
      else ttlOffsets.push(head + 4);
      if (section === 0) answerTtl = Math.min(answerTtl ?? ttl, ttl);
      if (section === 1 && type === types.soa && end - head > 14) {
        negativeTtl = Math.min(ttl, uint32(message, end - 4));
      }
      at = end;
    }
  }
  const isLast = opt?.end === at;
  return {
    ttlOffsets,
    answerTtl,
    negativeTtl,
    extendedRcode: opt?.extendedRcode ?? 0,
    // Names after an OPT record may point beyond it, so all that is additional goes with it then.
    end: !opt ? at : isLast ? opt.at : additionalAt,
    additional: !opt ? (counts[2] ?? 0) : isLast ? (counts[2] ?? 1) - 1 : 0,
  };
}

interface RecordPlace {
  readonly type: number;
  /** After the name. */
  readonly head: number;
  readonly end: number;
  readonly ttl: number;
}

function readRecord(message: Bytes, at: number): RecordPlace | undefined {
  const head = skipName(message, at);
  if (head === undefined || head + 10 > message.length) return undefined;
  const end = head + 10 + uint16(message, head + 8);
  if (end > message.length) return undefined;
  const ttl = uint32(message, head + 4);
  // RFC 2181, 8: with the highest bit set it is taken for 0.
  return { type: uint16(message, head), head, end, ttl: ttl > 0x7f_ff_ff_ff ? 0 : ttl };
}

/** The offset after a name; where it points to is not looked at. */
function skipName(message: Bytes, from: number): number | undefined {
  for (let at = from; at < message.length;) {
    const length = message[at] ?? 0;
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    if (length > 63) return undefined;
    at += 1 + length;
  }
  return undefined;
}

function withoutOpt(message: Bytes, { end, additional }: Walk): Bytes {
  const octets = message.slice(0, end);
  octets[10] = additional >> 8;
  octets[11] = additional & 0xff;
  return octets;
}

function ttlOf(rcode: number, { answerTtl, negativeTtl }: Walk): number {
  if (rcode === rcodes.noError && answerTtl !== undefined) {
    return Math.min(answerTtl, positiveTtlMaxSeconds);
  }
  if (rcode !== rcodes.noError && rcode !== rcodes.nxDomain) return 0;
  if (negativeTtl === undefined) return 0; // RFC 2308, 5: not to be remembered without SOA
  return Math.min(negativeTtl, answerTtl ?? negativeTtl, negativeTtlMaxSeconds);
}

function uint32(bytes: Bytes, at: number): number {
  return uint16(bytes, at) * 65_536 + uint16(bytes, at + 2);
}
