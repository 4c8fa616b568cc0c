/**
 * SHA-256 and HMAC-SHA256, the only hash functions of AltNet. A sealed request needs about forty
 * hashes of short inputs, so what surrounds a hash counts more than the hash: inputs are joined in
 * memory that is kept, and digests cross from native code as strings, a third of the cost of
 * Buffers. An HMAC takes 1.2 µs this way, 7 µs with fresh arrays, 17 µs with createHmac.
 */
import { hash } from 'node:crypto';
import { type Bytes, concatBytes } from './bytes.ts';

const digestBytes = 32;
const blockBytes = 64;
/** Longer inputs are joined in memory of their own: there the hash itself is what costs. */
const joinBytesMax = 2048;

const joined = new Uint8Array(blockBytes + joinBytesMax);
const outer = new Uint8Array(blockBytes + digestBytes);

/** 32 bytes: the digest of the concatenated parts. */
export function sha256(...parts: readonly Bytes[]): Bytes {
  const [only] = parts;
  return digestOf(parts.length === 1 && only !== undefined ? only : join(0, parts));
}

/** Of `bytes` into `digest`, 32 bytes: for who looks it up and forgets it. */
export function sha256Into(bytes: Bytes, digest: Bytes): void {
  const octets = hash('sha256', bytes, 'binary');
  for (let i = 0; i < digestBytes; i++) digest[i] = octets.charCodeAt(i);
}

/** The same as a text with a character for each byte: a third of the cost, and a key of maps. */
export function sha256Text(bytes: Bytes): string {
  return hash('sha256', bytes, 'binary');
}

/** The same of a text as UTF-8, with a character for each of the 32 bytes: for keys of maps. */
export function sha256OfText(text: string): string {
  return hash('sha256', text, 'binary');
}

/** 32 bytes as such a text. */
export function sha256AsText(bytes: Bytes): string {
  return hash('sha256', bytes, 'binary');
}

/** 32 bytes: HMAC-SHA256 (RFC 2104) of the concatenated parts under a key of at most 64 bytes. */
export function hmacSha256(key: Bytes, ...parts: readonly Bytes[]): Bytes {
  if (key.length > blockBytes) throw new RangeError('an HMAC key has at most 64 bytes');
  joined.fill(0x36, 0, blockBytes);
  outer.fill(0x5c, 0, blockBytes);
  for (let i = 0; i < key.length; i++) {
    const octet = key[i] ?? 0;
    joined[i] = octet ^ 0x36;
    outer[i] = octet ^ 0x5c;
  }
  outer.set(digestOf(join(blockBytes, parts)), blockBytes);
  return digestOf(outer);
}

/** The first `kept` bytes of `joined`, then the parts. */
function join(kept: number, parts: readonly Bytes[]): Bytes {
  let end = kept;
  for (const part of parts) end += part.length;
  if (end > joined.length) return concatBytes(joined.subarray(0, kept), ...parts);
  let at = kept;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined.subarray(0, end);
}

function digestOf(input: Bytes): Bytes {
  const digest = new Uint8Array(digestBytes);
  sha256Into(input, digest);
  return digest;
}
