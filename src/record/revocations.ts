/**
 * Lists of revocations: what a revoker says must not be had any more (docs/spec/revocation.md). The
 * record shows the newest entries, and where the list is when it has more. Whether anybody heeds a
 * revoker is each node's own policy: not known here.
 */
import type { CID } from 'multiformats/cid';
import { type Bytes, concatBytes, utf8 } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';
import { bodyCodec, type Field, isBytes, mappedField, optional, uintField } from './codec.ts';
import type { SignedRecord } from './envelope.ts';
import { recordKinds } from './kinds.ts';
import { parseRoot } from './root.ts';
import { type Signer, type Stamp, stampRecord } from './stamp.ts';

export const revocationsLifetimeSecondsMax: number = 7 * 86_400;
/** After so long a revoker has signed anew, whether or not there was anything to say. */
export const nextUpdateSeconds: number = 12 * 3600;
/** Entries of one list. */
export const revocationsMax = 1_000_000;
/** Entries that the record itself shows: the last of the list. */
export const recentMax = 20;
/** Type, then what it is about. */
export const revocationBytes = 33;

/** What an entry is about; with bit 7 set it takes an earlier one back. */
export const revocationTypes = { content: 1, name: 2 } as const;
export type RevocationType = (typeof revocationTypes)[keyof typeof revocationTypes];
const undoBit = 0x80;

export interface Revocation {
  readonly type: RevocationType;
  /** `hashOfContent` or `hashOfName`, 32 bytes. */
  readonly target: Bytes;
  /** From here on it may be had again. */
  readonly undo: boolean;
}

export interface RevocationsBody {
  /** Entries of the whole list, 1 to 1,000,000. */
  readonly count: number;
  /** Unix seconds: by then there is a newer record. */
  readonly nextUpdate: number;
  /** The last 20 entries, or all of fewer, in order, 33 bytes each. */
  readonly recent: Bytes;
  /** The file with all entries, when there are more than 20. */
  readonly list?: CID | undefined;
}

const recentField: Field<Bytes> = {
  number: 3,
  read: (value) => (isRecent(value) ? value : undefined),
  write: (recent) => recent,
};

function isRecent(value: unknown): value is Bytes {
  return (
    value instanceof Uint8Array &&
    isBytes(value, revocationBytes, recentMax * revocationBytes) &&
    isEntries(value)
  );
}

const body = bodyCodec<RevocationsBody>({
  count: uintField(1, { max: revocationsMax }),
  nextUpdate: uintField(2, { max: 0xffff_ffff }),
  recent: recentField,
  list: optional(mappedField(4, { parse: parseRoot, encode: (root) => root.bytes })),
});

const keyContext = utf8('altnet/key/rev\0');
const targetContext = utf8('altnet/rev\0');
const multihashHead = Uint8Array.of(0x12, 0x20);

/** Where a revoker's record belongs in the DHT. */
export function revocationsKey(revoker: Bytes): Bytes {
  return sha256(keyContext, revoker);
}

/** `hash`: of a block, its SHA-256. Hashed again, so that the list tells nobody what to look for. */
export function hashOfContent(hash: Bytes): Bytes {
  return sha256(targetContext, multihashHead, hash);
}

/** `key`: where the name's record is in the DHT. */
export function hashOfName(key: Bytes): Bytes {
  return sha256(targetContext, key);
}

export function encodeRevocation({ type, target, undo }: Revocation): Bytes {
  return concatBytes(Uint8Array.of(undo ? type | undoBit : type), target);
}

/** The entry that begins at `at`, of what `isEntries` holds for. Shares the memory of `entries`. */
export function revocationAt(entries: Bytes, at: number): Revocation {
  const octet = entries[at] ?? 0;
  const type = (octet & ~undoBit) === revocationTypes.name ? 'name' : 'content';
  return {
    type: revocationTypes[type],
    target: entries.subarray(at + 1, at + revocationBytes),
    undo: (octet & undoBit) !== 0,
  };
}

/** Whether these octets are whole entries of types that there are. */
export function isEntries(octets: Bytes): boolean {
  if (octets.length % revocationBytes !== 0) return false;
  for (let at = 0; at < octets.length; at += revocationBytes) {
    const type = (octets[at] ?? 0) & ~undoBit;
    if (type !== revocationTypes.content && type !== revocationTypes.name) return false;
  }
  return true;
}

/** Undefined for another kind, a tombstone (lists only grow), or a body that breaks a limit. */
export function parseRevocations(record: SignedRecord): RevocationsBody | undefined {
  if (record.kind !== recordKinds.revocations || record.tombstone) return undefined;
  const parsed = body.parse(record.fields);
  return parsed && isSound(parsed, record) ? parsed : undefined;
}

function isSound(
  { count, nextUpdate, recent, list }: RevocationsBody,
  { issued, expires }: Pick<SignedRecord, 'issued' | 'expires'>,
): boolean {
  const isWhole = recent.length === Math.min(count, recentMax) * revocationBytes;
  const isListed = (list !== undefined) === count > recentMax;
  return isWhole && isListed && nextUpdate > issued && nextUpdate <= expires;
}

/** Signed by the revoker's author key. */
export function makeRevocationsRecord(
  what: RevocationsBody,
  stamp: Stamp,
  signer: Signer,
): SignedRecord {
  return stampRecord(
    {
      kind: recordKinds.revocations,
      tombstone: false,
      key: revocationsKey(signer.key.publicKey),
      body: body.encode(what),
      lifetimeSecondsMax: revocationsLifetimeSecondsMax,
    },
    stamp,
    signer,
  );
}
