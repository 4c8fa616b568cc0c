/**
 * A line of a blocklist as octets, into the rules. The spellings that fill long lists are read
 * without making text of them; `parseLine` reads all others, and must say the same of these.
 */
import { parseUtf8 } from '../base/bytes.ts';
import { readCidV0Digest, readCidV1Digest, readHexDigest, type Word } from './digest-spelling.ts';
import type { ListLine } from './list-line.ts';
import { parseLine, type ParsedLine } from './rule.ts';
import type { RuleSink } from './rule-set.ts';

export const lineBytesMax = 4096;

/** What a line was; a rule is in the sink already. */
export type LineMeaning = 'rule' | 'nothing' | 'foreign' | { readonly why: string };

const bang = 0x21;
const slash = 0x2f;
const hashMark = 0x23;
/** "/ipfs/" */
const ipfs = Uint8Array.of(0x2f, 0x69, 0x70, 0x66, 0x73, 0x2f);

const digest = new Uint8Array(32);
const word: { -readonly [K in keyof Word]: Word[K] } = { octets: digest, start: 0, end: 0 };

export function readLine(line: ListLine, sink: RuleSink): LineMeaning {
  if (line.isTooLong) return { why: `it is longer than ${lineBytesMax} bytes` };
  const { octets, start, end } = line;
  if (start === end || octets[start] === hashMark) return 'nothing';
  if (readCommon(line, sink)) return 'rule';
  const text = parseUtf8(octets.subarray(start, end));
  if (text === undefined) return { why: 'it is not UTF-8' };
  return take(parseLine(text), sink);
}

function take(parsed: ParsedLine, sink: RuleSink): LineMeaning {
  if (parsed.is === 'bad') return { why: parsed.why };
  if (parsed.is !== 'rule') return parsed.is;
  sink.add(parsed.rule, parsed.allow);
  return 'rule';
}

/** False leaves the line to `parseLine`, whatever it is. */
function readCommon({ octets, start, end }: ListLine, sink: RuleSink): boolean {
  const allow = octets[start] === bang;
  const first = allow ? start + 1 : start;
  word.octets = octets;
  if (octets[first] !== slash) {
    if (!findWord(first, end) || !readHexDigest(word, digest)) return false;
    sink.addBlock(digest, allow);
    return true;
  }
  if (octets[first + 1] === slash) {
    if (!findWord(first + 2, end)) return false;
    const isHex = readHexDigest(word, digest);
    if (!isHex && !readCidV0Digest(word, digest)) return false;
    sink.addDouble(digest, isHex ? 'cid' : 'multihash', allow);
    return true;
  }
  for (let i = 0; i < ipfs.length; i++) if (octets[first + i] !== ipfs[i]) return false;
  if (!findWord(first + ipfs.length, end)) return false;
  if (!readCidV1Digest(word, digest) && !readCidV0Digest(word, digest)) return false;
  sink.addBlock(digest, allow);
  return true;
}

const wordBytesMax = 64;

/** What stands from `start` up to the end or a space; false when it is too long to be common. */
function findWord(start: number, end: number): boolean {
  let at = start;
  while (at < end && word.octets[at] !== 0x20 && word.octets[at] !== 0x09) {
    if (at++ - start >= wordBytesMax) return false;
  }
  word.start = start;
  word.end = at;
  return true;
}
