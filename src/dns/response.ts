/**
 * Answers as octets: header and question as the client sent them, records that are octets already,
 * and an OPT record where the client sent one (docs/spec/dns.md, "Answers"). One buffer each, as
 * this runs for every query. Pure.
 */
import type { Bytes } from '../base/bytes.ts';
import { edns, flags, headerBytes, rcodes } from './codes.ts';
import type { Query } from './query.ts';
import { noRecords, type Section } from './records.ts';

/** Why there is no answer, for a person who reads what their tool prints (RFC 8914). */
export interface Explanation {
  readonly code: number;
  readonly text: string;
}

/** What this node says of its own. */
export interface LocalAnswer {
  readonly kind: 'local';
  readonly rcode: number;
  readonly isAuthoritative: boolean;
  readonly answers: Section;
  readonly authority: Section;
  readonly explanation?: Explanation | undefined;
  /** How long it holds. */
  readonly ttlSeconds: number;
}

/** What another resolver said, cleared of what was between it and us. */
export interface PassedAnswer {
  readonly kind: 'passed';
  /** Header, question and records; no OPT record. */
  readonly octets: Bytes;
  /** Where the 32 bits of each TTL stand. */
  readonly ttlOffsets: readonly number[];
  /** Since it was true. */
  readonly ageSeconds: number;
  /** What is left of it. */
  readonly ttlSeconds: number;
}

export type Answer = LocalAnswer | PassedAnswer;

export function rcodeOf(answer: Answer): number {
  return answer.kind === 'local' ? answer.rcode : (answer.octets[3] ?? 0) & flags.rcode;
}

/** An answer without records. */
export function plainAnswer(rcode: number, explanation?: Explanation): LocalAnswer {
  return {
    kind: 'local',
    rcode,
    isAuthoritative: false,
    answers: noRecords,
    authority: noRecords,
    explanation,
    ttlSeconds: 0,
  };
}

/** On a transport that hides what is said, the length may be hidden as well. */
export interface Secrecy {
  readonly isEncrypted: boolean;
}

interface AnswerForm extends Secrecy {
  readonly bytesMax: number;
}

/** At most `bytesMax`, else only that there is more. */
export function encodeAnswer(
  query: Query,
  answer: Answer,
  bytesMax: number,
  { isEncrypted }: Secrecy = { isEncrypted: false },
): Bytes {
  const form = { bytesMax, isEncrypted };
  return answer.kind === 'local'
    ? encodeLocal(query, answer, form)
    : encodePassed(query, answer, form);
}

function encodeLocal(query: Query, answer: LocalAnswer, form: AnswerForm): Bytes {
  const { rcode, answers, authority, isAuthoritative } = answer;
  const recordsAt = headerBytes + query.question.length;
  const optAt = recordsAt + answers.octets.length + authority.octets.length;
  const explained = query.edns ? optionsOf(answer.explanation) : noOptions;
  const options = padded(explained, optAt + emptyOptBytes, query, form);
  const bytes = optAt + optBytes(query, options);
  if (bytes > form.bytesMax) return encodeTruncated(query, rcode);
  const message = Buffer.allocUnsafe(bytes);
  const own = isAuthoritative ? flags.authoritative : 0;
  writeHead(message, query, { rcode, more: own, counts: [answers.count, authority.count] });
  message.set(answers.octets, recordsAt);
  message.set(authority.octets, recordsAt + answers.octets.length);
  writeOpt(message, optAt, { query, rcode, options });
  return message;
}

function encodePassed(query: Query, answer: PassedAnswer, form: AnswerForm): Bytes {
  const { octets, ttlOffsets, ageSeconds } = answer;
  const options = padded(noOptions, octets.length + emptyOptBytes, query, form);
  const bytes = octets.length + optBytes(query, options);
  const rcode = rcodeOf(answer);
  if (bytes > form.bytesMax) return encodeTruncated(query, rcode);
  const message = Buffer.allocUnsafe(bytes);
  message.set(octets);
  const isAuthentic = wantsAuthentic(query) && ((octets[3] ?? 0) & flags.authenticData) !== 0;
  const counts = [message.readUInt16BE(6), message.readUInt16BE(8), message.readUInt16BE(10)];
  writeHead(message, query, { rcode, more: isAuthentic ? flags.authenticData : 0, counts });
  for (const at of ttlOffsets) {
    message.writeUInt32BE(Math.max(0, message.readUInt32BE(at) - ageSeconds), at);
  }
  writeOpt(message, octets.length, { query, rcode, options });
  return message;
}

/** Who wants it all comes again by TCP. */
function encodeTruncated(query: Query, rcode: number): Bytes {
  const at = headerBytes + query.question.length;
  const message = Buffer.allocUnsafe(at + optBytes(query, noOptions));
  writeHead(message, query, { rcode, more: flags.truncated, counts: [] });
  writeOpt(message, at, { query, rcode, options: noOptions });
  return message;
}

/** To a message that is no question: its ID, what is wrong with it, and nothing of its content. */
export function encodeRefusal(
  { id, flags: asked }: { readonly id: number; readonly flags: number },
  rcode: number,
): Bytes {
  const message = Buffer.alloc(headerBytes);
  message.writeUInt16BE(id, 0);
  const kept = asked & (flags.opcode | flags.recursionDesired);
  message.writeUInt16BE(flags.response | kept | rcode, 2);
  return message;
}

/** RFC 6840, 5.7: AD is for who asked with AD or DO. */
function wantsAuthentic({ flags: asked, edns: extension }: Query): boolean {
  return (asked & flags.authenticData) !== 0 || extension?.dnssecOk === true;
}

interface Head {
  readonly rcode: number;
  readonly more: number;
  /** Of answer, authority and additional section, without the OPT record. */
  readonly counts: readonly number[];
}

function writeHead(message: Buffer, query: Query, { rcode, more, counts }: Head): void {
  const kept = query.flags & (flags.recursionDesired | flags.checkingDisabled);
  const head = flags.response | flags.recursionAvailable | kept | more | (rcode & flags.rcode);
  const [answers = 0, authority = 0, additional = 0] = counts;
  message.writeUInt16BE(query.id, 0);
  message.writeUInt16BE(head, 2);
  message.writeUInt16BE(1, 4);
  message.writeUInt16BE(answers, 6);
  message.writeUInt16BE(authority, 8);
  message.writeUInt16BE(additional + (query.edns ? 1 : 0), 10);
  message.set(query.question, headerBytes);
}

/** Root, type, size, extended rcode, version, flags, length of the options. */
const emptyOptBytes = 11;
const noOptions: Bytes = new Uint8Array(0);

function optBytes(query: Query, options: Bytes): number {
  return query.edns ? emptyOptBytes + options.length : 0;
}

/** Code and length of an option. */
const optionHeadBytes = 4;

/**
 * With a padding option that fills the answer up to whole blocks, for who padded its query: then
 * the length tells little (RFC 8467). `bytes`: of the answer with no option at all.
 */
function padded(options: Bytes, bytes: number, { edns: asked }: Query, form: AnswerForm): Bytes {
  if (!form.isEncrypted || asked?.isPadded !== true) return options;
  const least = bytes + options.length + optionHeadBytes;
  const whole = Math.ceil(least / edns.paddedBlockBytes) * edns.paddedBlockBytes;
  if (whole > form.bytesMax) return options;
  const all = Buffer.alloc(options.length + optionHeadBytes + whole - least);
  all.set(options);
  all.writeUInt16BE(edns.padding, options.length);
  all.writeUInt16BE(whole - least, options.length + 2);
  return all;
}

function optionsOf(explanation: Explanation | undefined): Bytes {
  if (!explanation) return noOptions;
  const text = Buffer.from(explanation.text);
  const option = Buffer.alloc(optionHeadBytes + 2 + text.length);
  option.writeUInt16BE(edns.extendedError, 0);
  option.writeUInt16BE(2 + text.length, 2);
  option.writeUInt16BE(explanation.code, 4);
  option.set(text, 6);
  return option;
}

function writeOpt(
  message: Buffer,
  at: number,
  what: { readonly query: Query; readonly rcode: number; readonly options: Bytes },
): void {
  const { query, rcode, options } = what;
  if (!query.edns) return;
  message[at] = 0;
  message.writeUInt16BE(41, at + 1);
  message.writeUInt16BE(edns.udpBytes, at + 3);
  message[at + 5] = rcode >> 4;
  message[at + 6] = edns.version;
  message.writeUInt16BE(query.edns.dnssecOk ? edns.dnssecOk : 0, at + 7);
  message.writeUInt16BE(options.length, at + 9);
  message.set(options, at + emptyOptBytes);
}

/** What is answered to a version that we do not speak (RFC 6891, 6.1.3). */
export const badVersion: LocalAnswer = plainAnswer(rcodes.badVers);
