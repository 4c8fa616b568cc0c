/**
 * Links: an author's alternative for a URL. Many authors write under one key; each target of each
 * author has a slot of its own. The form of a URL that is hashed is made in `url.ts`.
 */
import { type Bytes, utf8 } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';
import { bodyCodec, bytesField, optional, textField, uintField } from './codec.ts';
import type { SignedRecord } from './envelope.ts';
import { recordKinds } from './kinds.ts';
import { type Signer, type Stamp, stampRecord, type TombstoneStamp } from './stamp.ts';

export interface LinkBody {
  /** SHA-256 of the URL's canonical form (`hashUrl`). */
  readonly urlHash: Bytes;
  /** Of any scheme; 1–512 bytes of UTF-8 without control characters. */
  readonly target: string;
  /** Of the content behind the target: 32 bytes. */
  readonly sha256?: Bytes | undefined;
  /** Of that content, in bytes. */
  readonly size?: number | undefined;
  /** Media type, 1–64 bytes. */
  readonly type?: string | undefined;
  /** Unix seconds: when the content was taken from the original address. */
  readonly captured?: number | undefined;
  /** For people, 1–140 bytes. */
  readonly note?: string | undefined;
  /** How the target relates to the original: see `linkRelations`. */
  readonly relation?: number | undefined;
  /** The original's scheme, which its key leaves out: 0 http, 1 https. */
  readonly scheme?: number | undefined;
}

export const linkRelations = { archive: 1, mirror: 2, successor: 3, comment: 4 } as const;
export const linkSchemes = { http: 0, https: 1 } as const;

export const linkLifetimeSecondsMax: number = 30 * 86_400;
export const targetBytesMax = 512;
export const mediaTypeBytesMax = 64;
export const noteBytesMax = 140;
const unixSecondsMax = 0xffff_ffff;

const urlHashField = bytesField(10, { length: 32 });

const live = bodyCodec<LinkBody>({
  urlHash: urlHashField,
  target: textField(1, { bytesMax: targetBytesMax }),
  sha256: optional(bytesField(2, { length: 32 })),
  size: optional(uintField(3, { max: Number.MAX_SAFE_INTEGER })),
  type: optional(textField(4, { bytesMax: mediaTypeBytesMax })),
  captured: optional(uintField(5, { max: unixSecondsMax })),
  note: optional(textField(6, { bytesMax: noteBytesMax })),
  relation: optional(uintField(7, { max: 255 })),
  scheme: optional(uintField(8, { max: 1 })),
});

/** The two hashes that say where a link stands. */
export interface LinkPlace {
  readonly urlHash: Bytes;
  /** SHA-256 of the target. */
  readonly targetHash: Bytes;
}

/** Names the slot without the target: a withdrawal should not go on spreading what it withdraws. */
const withdrawn = bodyCodec<LinkPlace>({
  urlHash: urlHashField,
  targetHash: bytesField(9, { length: 32 }),
});

const keyContext = utf8('altnet/key/link\0');

/** `canonical` as `canonicalUrl` gives it. */
export function hashUrl(canonical: string): Bytes {
  return sha256(utf8(canonical));
}

/**
 * Where links for a URL belong. The URL is hashed twice, so that a record can show that it belongs
 * under its key without telling the URL: else anybody could fill any key with links.
 */
export function linkKey(urlHash: Bytes): Bytes {
  return sha256(keyContext, urlHash);
}

/** Undefined for another kind, a tombstone, or a body that breaks a limit. */
export function parseLink(record: SignedRecord): LinkBody | undefined {
  if (record.kind !== recordKinds.link || record.tombstone) return undefined;
  return live.parse(record.fields);
}

/** What places a link, live or withdrawn, under its key; undefined as for `parseLink`. */
export function placeOf(record: SignedRecord): LinkPlace | undefined {
  if (record.kind !== recordKinds.link) return undefined;
  if (record.tombstone)
    return record.fields.size === 2 ? withdrawn.parse(record.fields) : undefined;
  const link = live.parse(record.fields);
  return link && { urlHash: link.urlHash, targetHash: sha256(utf8(link.target)) };
}

/** 16 bytes: the author's place for this target under the URL's key. */
export function linkSlot(author: Bytes, targetHash: Bytes): Bytes {
  return sha256(author, targetHash).slice(0, 16);
}

/** `stamp.powNonce` must show the profile's work, or storers answer POW. */
export function makeLinkRecord(body: LinkBody, stamp: Stamp, signer: Signer): SignedRecord {
  const { urlHash } = body;
  return makeRecord({ urlHash, tombstone: false, body: live.encode(body) }, stamp, signer);
}

/** Takes the author's link to `target` back. It carries the same work as the link. */
export function makeLinkTombstone(
  { urlHash, target }: Pick<LinkBody, 'urlHash' | 'target'>,
  stamp: TombstoneStamp,
  signer: Signer,
): SignedRecord {
  const body = withdrawn.encode({ urlHash, targetHash: sha256(utf8(target)) });
  return makeRecord({ urlHash, tombstone: true, body }, stamp, signer);
}

function makeRecord(
  { urlHash, ...what }: { urlHash: Bytes; tombstone: boolean; body: Bytes },
  stamp: Stamp,
  signer: Signer,
): SignedRecord {
  const lifetimeSecondsMax = linkLifetimeSecondsMax;
  const key = linkKey(urlHash);
  return stampRecord({ kind: recordKinds.link, key, lifetimeSecondsMax, ...what }, stamp, signer);
}
