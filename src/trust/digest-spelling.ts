/**
 * Digests in the spellings that fill long lists, read from octets without making a string of them:
 * 64 hex digits, CIDv1 in base32, CIDv0 in base58btc; and the latter two written. A library that
 * knows all spellings needs 6 µs to read one and 4 to write one, which neither a list of a million
 * lines nor a question for every block can afford. What is none of these is left to it.
 */
import type { Bytes } from '../base/bytes.ts';

/** Where in `octets` a word is, from `start` up to and excluding `end`. */
export interface Word {
  readonly octets: Bytes;
  readonly start: number;
  readonly end: number;
}

const none = 0xff;

/** By octet, what each letter counts; `others` are second spellings of the last letters. */
function digitsOf(alphabet: string, others = ''): Uint8Array {
  const digits = new Uint8Array(256).fill(none);
  for (let i = 0; i < alphabet.length; i++) digits[alphabet.charCodeAt(i)] = i;
  const first = alphabet.length - others.length;
  for (let i = 0; i < others.length; i++) digits[others.charCodeAt(i)] = first + i;
  return digits;
}

const hexDigits = digitsOf('0123456789abcdef', 'ABCDEF');
const base32Letters = 'abcdefghijklmnopqrstuvwxyz234567';
const base32Digits = digitsOf(base32Letters);
const base32Codes = Uint8Array.from(Buffer.from(base32Letters));
const base58Letters = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const base58Digits = digitsOf(base58Letters);
const base58Codes = Uint8Array.from(Buffer.from(base58Letters));

const hexLength = 64;
export const cidV1Length = 59;
export const cidV0Length = 46;

/** 64 hex digits into `digest`, 32 bytes; false, with anything in `digest`, for another word. */
export function readHexDigest({ octets, start, end }: Word, digest: Bytes): boolean {
  if (end - start !== hexLength) return false;
  let wrong = 0;
  for (let i = 0; i < digest.length; i++) {
    const high = hexDigits[octets[start + 2 * i] ?? 0] ?? none;
    const low = hexDigits[octets[start + 2 * i + 1] ?? 0] ?? none;
    wrong |= high | low;
    digest[i] = (high << 4) | low;
  }
  return wrong < 16;
}

/** Version 1, a codec of one octet, SHA-256, 32: what stands before the digest in a CIDv1. */
const cidV1 = new Uint8Array(36);

/** The digest of a CIDv1 in lower-case base32 that has one for SHA-256 and a codec below 0x80. */
export function readCidV1Digest({ octets, start, end }: Word, digest: Bytes): boolean {
  if (end - start !== cidV1Length || octets[start] !== 0x62 /* b */) return false;
  let [bits, held, at, wrong] = [0, 0, 0, 0];
  for (let i = start + 1; i < end; i++) {
    const digit = base32Digits[octets[i] ?? 0] ?? none;
    wrong |= digit;
    bits = ((bits << 5) | (digit & 31)) & 0xfff;
    held += 5;
    if (held < 8) continue;
    held -= 8;
    cidV1[at++] = bits >> held;
  }
  // 58 digits are 36 octets and two bits more, which are zero in the one spelling there is.
  if (wrong >= 32 || (bits & 3) !== 0) return false;
  if (cidV1[0] !== 1 || (cidV1[1] ?? none) > 0x7f) return false;
  if (cidV1[2] !== 0x12 || cidV1[3] !== 32) return false;
  digest.set(cidV1.subarray(4));
  return true;
}

/** The CIDv1 of a codec below 0x80 and a SHA-256, 32 bytes, into the start of `text`. */
export function writeCidV1({ codec, digest }: { codec: number; digest: Bytes }, text: Bytes): void {
  cidV1[0] = 1;
  cidV1[1] = codec;
  cidV1[2] = 0x12;
  cidV1[3] = 32;
  cidV1.set(digest, 4);
  let [bits, held, at] = [0, 0, 0];
  text[at++] = 0x62; // b
  for (let i = 0; i < cidV1.length; i++) {
    bits = ((bits << 8) | (cidV1[i] ?? 0)) & 0xfff;
    held += 8;
    for (; held >= 5; held -= 5) text[at++] = base32Codes[(bits >> (held - 5)) & 31] ?? 0;
  }
  text[at] = base32Codes[(bits << (5 - held)) & 31] ?? 0;
}

/** 34 octets as 12 limbs of 24 bits, the least significant first: a product stays below 2^53. */
const limbs = new Float64Array(12);
const limbSize = 2 ** 24;
const limbFraction = 1 / limbSize;
const groupDigits = 4;
const groupSize = 58 ** groupDigits;

/** The digest of a CIDv0, which is also how a bare SHA-256 multihash is written: "Qm…". */
export function readCidV0Digest({ octets, start, end }: Word, digest: Bytes): boolean {
  if (end - start !== cidV0Length) return false;
  limbs.fill(0);
  let [at, wrong, used] = [start, 0, 0];
  let groupEnd = start + (cidV0Length % groupDigits);
  for (; groupEnd <= end; groupEnd += groupDigits) {
    let carry = 0;
    for (; at < groupEnd; at++) {
      const digit = base58Digits[octets[at] ?? 0] ?? none;
      wrong |= digit;
      carry = carry * 58 + digit;
    }
    for (let limb = 0; limb < used; limb++) {
      const sum = (limbs[limb] ?? 0) * groupSize + carry;
      carry = Math.floor(sum * limbFraction); // exact: a power of two
      limbs[limb] = sum - carry * limbSize;
    }
    if (carry > 0) limbs[used++] = carry;
  }
  // From the top: two octets of nothing, 0x12, 32, and the digest.
  if (wrong > 63 || used > limbs.length) return false;
  if (octetAt(35) !== 0 || octetAt(34) !== 0) return false;
  if (octetAt(33) !== 0x12 || octetAt(32) !== 32) return false;
  for (let i = 0; i < digest.length; i++) digest[i] = octetAt(31 - i);
  return true;
}

/** The octet of this weight, 0 for the least significant. */
function octetAt(weight: number): number {
  const place = weight % 3;
  return ((limbs[(weight - place) / 3] ?? 0) >>> (8 * place)) & 0xff;
}

/**
 * To write, nothing is divided over and over: each half-word of the digest adds its own share to
 * the groups of five letters, which are summed first and carried once. All stays below 2^53: a
 * half-word times a group is below 2^46, and there are 17 of them.
 */
const wideDigits = 5;
const wideSize = 58 ** wideDigits;
const wideGroups = Math.ceil(cidV0Length / wideDigits);
const halfWords = 16;
const pairSize = 58 ** 2;

/** Of each half-word, the least significant first, what one of it is in groups. */
const shares = new Float64Array(halfWords * wideGroups);
/** What stands before the digest, 0x12 and 32, in groups. */
const prefixGroups = new Float64Array(wideGroups);
const sums = new Float64Array(wideGroups);
for (let i = 0; i < halfWords; i++) writeGroups(1n << BigInt(16 * i), shares, i * wideGroups);
writeGroups(0x1220n << 256n, prefixGroups, 0);

/** Both letters of a number below 58², the first in the high octet. */
const pairCodes = Uint16Array.from({ length: pairSize }, (_, pair) => {
  const [high = 0, low = 0] = [base58Codes[Math.floor(pair / 58)], base58Codes[pair % 58]];
  return (high << 8) | low;
});

function writeGroups(value: bigint, groups: Float64Array, at: number): void {
  for (let i = 0; i < wideGroups; i++) {
    groups[at + i] = Number((value / BigInt(wideSize) ** BigInt(i)) % BigInt(wideSize));
  }
}

/** The CIDv0 of a SHA-256, 32 bytes, into the start of `text`. */
export function writeCidV0(digest: Bytes, text: Bytes): void {
  sums.set(prefixGroups);
  for (let i = 0; i < halfWords; i++) {
    const halfWord = ((digest[30 - 2 * i] ?? 0) << 8) | (digest[31 - 2 * i] ?? 0);
    const from = i * wideGroups;
    // 16 · i bits reach no further, and what is above them is nothing.
    const used = Math.min(wideGroups, 1 + Math.floor((16 * i) / 29));
    for (let group = 0; group < used; group++) {
      sums[group] = (sums[group] ?? 0) + halfWord * (shares[from + group] ?? 0);
    }
  }
  let [carry, end] = [0, cidV0Length];
  for (let group = 0; group < wideGroups; group++, end -= wideDigits) {
    const sum = (sums[group] ?? 0) + carry;
    carry = Math.floor(sum / wideSize);
    const rest = sum - carry * wideSize;
    const upper = Math.floor(rest / pairSize);
    const first = Math.floor(upper / pairSize);
    const [middle, last] = [upper - first * pairSize, rest - upper * pairSize];
    text[end - 1] = (pairCodes[last] ?? 0) & 0xff;
    if (group === wideGroups - 1) return; // of the last group there is one letter
    text[end - 2] = (pairCodes[last] ?? 0) >> 8;
    text[end - 3] = (pairCodes[middle] ?? 0) & 0xff;
    text[end - 4] = (pairCodes[middle] ?? 0) >> 8;
    text[end - 5] = base58Codes[first] ?? 0;
  }
}
