/**
 * Roots as users write them, and blocks as the content module names them: what a block is and the
 * SHA-256 of its bytes. SHA-256 is the only hash, dag-pb (UnixFS) and raw the only codecs.
 */
import { base32 } from 'multiformats/bases/base32';
import { base36 } from 'multiformats/bases/base36';
import { base58btc } from 'multiformats/bases/base58';
import { CID } from 'multiformats/cid';
import { create as createDigest } from 'multiformats/hashes/digest';
import { type Bytes, parseHex, toHex } from '../../base/bytes.ts';
import { AltNetError } from '../../base/errors.ts';

export type Codec = 'dag-pb' | 'raw';

/** A block by name. */
export interface Link {
  readonly codec: Codec;
  /** SHA-256 of the block's bytes, 32 bytes. */
  readonly hash: Bytes;
}

const dagPbCode = 0x70;
const rawCode = 0x55;
const sha256Code = 0x12;
const hashBytes = 32;

/**
 * A CID of version 0 or 1 in base32, base36 or base58btc, or 64 hex digits, which mean a UnixFS
 * root: always as CIDv1. Throws BAD_ROOT.
 */
export function parseRoot(text: string): CID {
  const hash = /^[0-9a-fA-F]{64}$/.test(text) ? parseHex(text) : undefined;
  if (hash) return cidOf({ codec: 'dag-pb', hash });
  const cid = text.length <= textMax ? parseCid(text) : undefined;
  const link = cid && linkOf(cid);
  if (!link) throw new AltNetError('BAD_ROOT', { text: text.slice(0, textMax) });
  return cidOf(link);
}

const textMax = 128;

function parseCid(text: string): CID | undefined {
  try {
    return CID.parse(text, base32.decoder.or(base36.decoder).or(base58btc.decoder));
  } catch {
    return undefined;
  }
}

/** Undefined for other hashes, other codecs and digests of the wrong length. */
export function linkOf(cid: CID): Link | undefined {
  const { code, digest } = cid.multihash;
  if (code !== sha256Code || digest.length !== hashBytes) return undefined;
  if (cid.code === dagPbCode) return { codec: 'dag-pb', hash: digest };
  return cid.code === rawCode ? { codec: 'raw', hash: digest } : undefined;
}

/** For what came from `parseRoot` or a record: throws BAD_ROOT where `linkOf` has none. */
export function requireLink(cid: CID): Link {
  const link = linkOf(cid);
  if (!link) throw new AltNetError('BAD_ROOT', { text: cid.toString() });
  return link;
}

/** CIDv1. */
export function cidOf({ codec, hash }: Link): CID {
  const multihash = createDigest(sha256Code, hash);
  return CID.createV1(codec === 'raw' ? rawCode : dagPbCode, multihash);
}

/** 64 lower-case hex digits: the SHA-256 of the root block. */
export function rootHex(cid: CID): string {
  return toHex(cid.multihash.digest);
}

/** 0x12 0x20 and the hash: 34 bytes. */
export function multihashOf({ hash }: Link): Bytes {
  return createDigest(sha256Code, hash).bytes;
}

/** A hash as the key of a Map or Set: one byte per character, half the memory of hex. */
export function hashKey(hash: Bytes): string {
  return Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('latin1');
}
