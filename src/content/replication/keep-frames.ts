/**
 * The frames of `/altnet/keep/1` as octets (docs/spec/replication.md, "Frames"). Knows nothing of
 * order, stores or time: it gives whole values within their limits, or nothing.
 */
import { asBuffer, type Bytes, concatBytes } from '../../base/bytes.ts';
import { filesMax } from '../dag/measure.ts';
import type { Link } from '../dag/root.ts';
import { walkBlocksMax } from '../dag/walk.ts';

export const keepProtocol = '/altnet/keep/1';

export const keepFrames = {
  offer: 0x01,
  question: 0x02,
  held: 0x81,
  taking: 0x82,
  progress: 0x83,
  kept: 0x84,
  failed: 0x85,
  refused: 0x86,
  answer: 0x87,
} as const;
export type KeepFrame = (typeof keepFrames)[keyof typeof keepFrames];

/** What one node asks another to keep. */
export interface Offer {
  readonly link: Link;
  /** Of all blocks together, each counted once: the most that the taker has to store. */
  readonly bytes: number;
  readonly files: number;
  readonly blocks: number;
  /** Hash of the root of the version before this one. */
  readonly replaces?: Bytes | undefined;
}

/** Why an offer is not taken, or why taking it failed; the numbers stand in the frame. */
export const declineCodes = {
  budget: 1,
  'too-large': 2,
  blocked: 3,
  far: 4,
  busy: 5,
  'not-a-keeper': 6,
  failed: 7,
  superseded: 8,
} as const;
export type Decline = keyof typeof declineCodes;

/** What a node says of a root. superseded: it holds it still, and not for long any more. */
export type Standing = 'no' | 'held' | 'superseded';
const standings: readonly (Standing | undefined)[] = ['no', 'held', 'superseded', undefined];

export const rootsPerQuestionMax = 256;
const hashBytes = 32;
const offerBytes = 50;
const codecs: readonly Link['codec'][] = ['dag-pb', 'raw'];
const flagReplaces = 1;

/** The most bytes that the body of a frame may have; undefined for an unknown type. */
export function keepFrameBytesMax(type: number): number | undefined {
  switch (type) {
    case keepFrames.offer:
      return offerBytes + hashBytes;
    case keepFrames.question:
      return rootsPerQuestionMax * hashBytes;
    case keepFrames.held:
    case keepFrames.taking:
    case keepFrames.kept:
      return 0;
    case keepFrames.progress:
      return 8;
    case keepFrames.failed:
    case keepFrames.refused:
      return 1;
    case keepFrames.answer:
      return rootsPerQuestionMax / 4;
    default:
      return undefined;
  }
}

/** Type 1, length of the body 4, body. */
export function encodeKeepFrame(type: KeepFrame, body: Bytes = new Uint8Array()): Bytes {
  const head = Buffer.alloc(5);
  head.writeUInt8(type, 0);
  head.writeUInt32BE(body.length, 1);
  return concatBytes(head, body);
}

/** codec 1, flags 1, hash 32, bytes 8, files 4, blocks 4, then 32 of `replaces` if flags bit 0. */
export function encodeOffer({ link, bytes, files, blocks, replaces }: Offer): Bytes {
  const body = Buffer.alloc(offerBytes);
  body.writeUInt8(codecs.indexOf(link.codec), 0);
  body.writeUInt8(replaces ? flagReplaces : 0, 1);
  body.set(link.hash, 2);
  body.writeBigUInt64BE(BigInt(bytes), 34);
  body.writeUInt32BE(files, 42);
  body.writeUInt32BE(blocks, 46);
  return encodeKeepFrame(keepFrames.offer, replaces ? concatBytes(body, replaces) : body);
}

/** Undefined when anything in it breaks a limit or is left over. */
export function decodeOffer(octets: Bytes): Offer | undefined {
  if (octets.length < offerBytes) return undefined;
  const body = asBuffer(octets);
  const codec = codecs[body.readUInt8(0)];
  const flags = body.readUInt8(1);
  const lengthDue = offerBytes + (flags === flagReplaces ? hashBytes : 0);
  if (!codec || flags > flagReplaces || octets.length !== lengthDue) return undefined;
  const bytes = Number(body.readBigUInt64BE(34));
  const files = body.readUInt32BE(42);
  const blocks = body.readUInt32BE(46);
  if (!Number.isSafeInteger(bytes) || files > filesMax) return undefined;
  if (blocks === 0 || blocks > walkBlocksMax) return undefined;
  const link: Link = { codec, hash: octets.slice(2, 34) };
  const replaces = flags === flagReplaces ? octets.slice(offerBytes) : undefined;
  return { link, bytes, files, blocks, replaces };
}

export function encodeQuestion(hashes: readonly Bytes[]): Bytes {
  return encodeKeepFrame(keepFrames.question, concatBytes(...hashes));
}

/** 1 to 256 hashes. */
export function decodeQuestion(body: Bytes): readonly Bytes[] | undefined {
  if (body.length === 0 || body.length % hashBytes !== 0) return undefined;
  const count = body.length / hashBytes;
  return Array.from({ length: count }, (_, i) => body.slice(i * hashBytes, (i + 1) * hashBytes));
}

/** Two bits for each root, the first one in the highest bits; the bits left over are 0. */
export function encodeAnswer(answers: readonly Standing[]): Bytes {
  const body = new Uint8Array(Math.ceil(answers.length / 4));
  answers.forEach((answer, i) => {
    const at = i >> 2;
    body[at] = (body[at] ?? 0) | (standings.indexOf(answer) << (6 - 2 * (i & 3)));
  });
  return encodeKeepFrame(keepFrames.answer, body);
}

/** Undefined unless it answers exactly `count` roots. */
export function decodeAnswer(body: Bytes, count: number): readonly Standing[] | undefined {
  if (body.length !== Math.ceil(count / 4)) return undefined;
  const answers: Standing[] = [];
  for (let i = 0; i < body.length * 4; i++) {
    const answer = standings[((body[i >> 2] ?? 0) >> (6 - 2 * (i & 3))) & 3];
    if (answer === undefined || (i >= count && answer !== 'no')) return undefined;
    if (i < count) answers.push(answer);
  }
  return answers;
}

/** How many bytes of the offered DAG are there by now. */
export function encodeProgress(bytes: number): Bytes {
  const body = Buffer.alloc(8);
  body.writeBigUInt64BE(BigInt(bytes));
  return encodeKeepFrame(keepFrames.progress, body);
}

export function decodeProgress(body: Bytes): number | undefined {
  if (body.length !== 8) return undefined;
  const bytes = Number(asBuffer(body).readBigUInt64BE());
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

export function encodeDecline(type: 0x85 | 0x86, why: Decline): Bytes {
  return encodeKeepFrame(type, Uint8Array.of(declineCodes[why]));
}

/** Reasons that this version does not know are failures. */
export function decodeDecline(body: Bytes): Decline | undefined {
  if (body.length !== 1) return undefined;
  const known = Object.entries(declineCodes).find(([, code]) => code === body[0]);
  return known ? (known[0] as Decline) : 'failed';
}
