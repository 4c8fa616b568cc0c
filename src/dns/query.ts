/**
 * Reading a query (docs/spec/dns.md, "Queries"): everything is checked before it is used, each
 * octet is looked at once, and no pointer is ever followed. Knows nothing of answers. Pure.
 */
import type { Bytes } from '../base/bytes.ts';
import { edns, flags, headerBytes, nameBytesMax, rcodes, types } from './codes.ts';

export interface Edns {
  /** The largest datagram that the client takes, at least 512. */
  readonly udpBytes: number;
  readonly version: number;
  /** The client wants DNSSEC records. */
  readonly dnssecOk: boolean;
  /** It hides how long its query is, and wants the same of the answer. */
  readonly isPadded: boolean;
}

export interface Query {
  readonly id: number;
  /** The second 16 bits of the header as they came. */
  readonly flags: number;
  /** Lower case, one character per octet: a dot within a label is a dot within a label. */
  readonly labels: readonly string[];
  readonly type: number;
  readonly class: number;
  /** The question section as it was sent: with its upper and lower case it goes into the answer. */
  readonly question: Bytes;
  /** The same in lower case, one character per octet: equal questions have equal keys. */
  readonly key: string;
  readonly edns: Edns | undefined;
  /** Of the whole message. */
  readonly bytes: number;
}

/** What can be said of a message that is no question for us: `rcode` to its ID, or nothing. */
export type ParsedQuery =
  | { readonly kind: 'query'; readonly query: Query }
  | {
      readonly kind: 'refused';
      readonly id: number;
      readonly flags: number;
      readonly rcode: number;
      readonly why: Flaw;
    }
  | { readonly kind: 'silence'; readonly why: Flaw };

export type Flaw = 'short' | 'long' | 'response' | 'opcode' | 'counts' | 'question' | 'additional';

const additionalMax = 2;
/** Type, class, TTL and length of a record. */
const recordHeadBytes = 10;

export function parseQuery(message: Bytes, bytesMax: number): ParsedQuery {
  if (message.length < headerBytes) return { kind: 'silence', why: 'short' };
  const id = uint16(message, 0);
  const head = uint16(message, 2);
  // Whoever answers answers can be made to answer itself.
  if ((head & flags.response) !== 0) return { kind: 'silence', why: 'response' };
  const refuse = (rcode: number, why: Flaw): ParsedQuery => {
    return { kind: 'refused', id, flags: head, rcode, why };
  };
  if (message.length > bytesMax) return refuse(rcodes.formErr, 'long');
  if ((head & flags.opcode) !== 0) return refuse(rcodes.notImp, 'opcode');
  const additional = uint16(message, 10);
  const isAlone = uint16(message, 4) === 1 && uint16(message, 6) === 0 && uint16(message, 8) === 0;
  if (!isAlone || additional > additionalMax) return refuse(rcodes.formErr, 'counts');
  const question = readQuestion(message);
  if (!question) return refuse(rcodes.formErr, 'question');
  const end = headerBytes + question.question.length;
  const extension = readAdditional(message, end, additional);
  if (extension === 'malformed') return refuse(rcodes.formErr, 'additional');
  const query = { id, flags: head, ...question, edns: extension, bytes: message.length };
  return { kind: 'query', query };
}

type Question = Pick<Query, 'labels' | 'type' | 'class' | 'question' | 'key'>;

const scratch: Buffer = Buffer.alloc(nameBytesMax + 4);

/** Undefined for a name that is too long, compressed or cut off. */
function readQuestion(message: Bytes): Question | undefined {
  const marks: number[] = []; // where labels begin, in `scratch`
  let at = headerBytes;
  for (;;) {
    const length = message[at];
    if (length === undefined || length > 63) return undefined; // cut off, or a pointer
    const next = at + 1 + length;
    if (next - headerBytes >= nameBytesMax && length > 0) return undefined;
    if (next > message.length) return undefined;
    scratch[at - headerBytes] = length;
    if (length === 0) break;
    marks.push(at - headerBytes + 1);
    for (let i = at + 1; i < next; i++) scratch[i - headerBytes] = lowerCase(message[i] ?? 0);
    at = next;
  }
  const end = at + 5;
  if (end > message.length) return undefined;
  for (let i = at + 1; i < end; i++) scratch[i - headerBytes] = message[i] ?? 0;
  const key = scratch.toString('latin1', 0, end - headerBytes);
  return {
    labels: marks.map((from) => key.slice(from, from + (scratch[from - 1] ?? 0))),
    type: uint16(message, at + 1),
    class: uint16(message, at + 3),
    question: message.subarray(headerBytes, end),
    key,
  };
}

function lowerCase(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet;
}

/** What the records after the question say; of those that are no OPT, only that they are whole. */
function readAdditional(
  message: Bytes,
  from: number,
  count: number,
): Edns | undefined | 'malformed' {
  let found: Edns | undefined;
  let at = from;
  for (let left = count; left > 0; left--) {
    const isRoot = message[at] === 0;
    const head = skipPlainName(message, at);
    if (head === undefined || head + recordHeadBytes > message.length) return 'malformed';
    const end = head + recordHeadBytes + uint16(message, head + 8);
    if (end > message.length) return 'malformed';
    if (uint16(message, head) === types.opt) {
      // RFC 6891, 6.1.1: more than one is an error, and so is one that is about a name.
      const options = readOptions(message, head + recordHeadBytes, end);
      if (found || !isRoot || !options) return 'malformed';
      found = {
        udpBytes: Math.max(edns.udpBytesMin, uint16(message, head + 2)),
        version: message[head + 5] ?? 0,
        dnssecOk: (uint16(message, head + 6) & edns.dnssecOk) !== 0,
        isPadded: options.isPadded,
      };
    }
    at = end;
  }
  return at === message.length ? found : 'malformed';
}

/** The offset after a name without pointers; undefined for any other. */
function skipPlainName(message: Bytes, from: number): number | undefined {
  for (let at = from; at < message.length;) {
    const length = message[at] ?? 0;
    if (length === 0) return at + 1;
    if (length > 63) return undefined;
    at += 1 + length;
  }
  return undefined;
}

/** What options say that have a use here; undefined where one is not as long as it says. */
function readOptions(
  message: Bytes,
  from: number,
  end: number,
): { readonly isPadded: boolean } | undefined {
  let isPadded = false;
  let at = from;
  while (at + 4 <= end) {
    isPadded ||= uint16(message, at) === edns.padding;
    at += 4 + uint16(message, at + 2);
  }
  return at === end ? { isPadded } : undefined;
}

export function uint16(bytes: Bytes, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
