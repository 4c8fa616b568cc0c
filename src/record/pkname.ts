/** Key names: what the holder of a key shows under the label that spells the key itself. */
import type { CID } from 'multiformats/cid';
import { type Bytes, utf8 } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';
import { bodyCodec, mappedField, optional, uintField } from './codec.ts';
import type { SignedRecord } from './envelope.ts';
import { recordKinds } from './kinds.ts';
import { ttlSecondsMax } from './name.ts';
import { parseRoot } from './root.ts';
import { type Signer, type Stamp, stampRecord, type TombstoneStamp } from './stamp.ts';

export interface PkNameBody {
  /** CIDv1, SHA-256. */
  readonly root: CID;
  /** How long resolvers may keep it: 0–86,400. */
  readonly ttlSeconds?: number | undefined;
}

export const pkNameLifetimeSecondsMax: number = 30 * 86_400;

/* The same numbers as in a name's body. */
const live = bodyCodec<PkNameBody>({
  root: mappedField(2, { parse: parseRoot, encode: (root) => root.bytes }),
  ttlSeconds: optional(uintField(7, { max: ttlSecondsMax })),
});
const withdrawn = bodyCodec<object>({});

const keyContext = utf8('altnet/key/pk\0');

export function pkNameKey(publicKey: Bytes): Bytes {
  return sha256(keyContext, publicKey);
}

/** Undefined for another kind, a tombstone, or a body that breaks a limit. */
export function parsePkName(record: SignedRecord): PkNameBody | undefined {
  if (record.kind !== recordKinds.pkName || record.tombstone) return undefined;
  return live.parse(record.fields);
}

export function makePkNameRecord(body: PkNameBody, stamp: Stamp, signer: Signer): SignedRecord {
  return makeRecord({ tombstone: false, body: live.encode(body) }, stamp, signer);
}

export function makePkNameTombstone(stamp: TombstoneStamp, signer: Signer): SignedRecord {
  return makeRecord({ tombstone: true, body: withdrawn.encode({}) }, stamp, signer);
}

function makeRecord(
  what: { tombstone: boolean; body: Bytes },
  stamp: Stamp,
  signer: Signer,
): SignedRecord {
  const key = pkNameKey(signer.key.publicKey);
  const lifetimeSecondsMax = pkNameLifetimeSecondsMax;
  return stampRecord({ kind: recordKinds.pkName, key, lifetimeSecondsMax, ...what }, stamp, signer);
}
