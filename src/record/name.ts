/** Names of the open zone: the first author who writes one holds it (docs/spec/records.md). */
import type { CID } from 'multiformats/cid';
import { type Bytes, utf8 } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';
import { bodyCodec, mappedField, optional, textField, uintField } from './codec.ts';
import type { SignedRecord } from './envelope.ts';
import { recordKinds } from './kinds.ts';
import { isLabel } from './label.ts';
import { parseRoot } from './root.ts';
import { type Signer, type Stamp, stampRecord, type TombstoneStamp } from './stamp.ts';

export interface NameBody {
  /** In its final form, without ".alt". */
  readonly label: string;
  /** What the name shows: CIDv1, SHA-256. */
  readonly root: CID;
  /** How long resolvers may keep it: 0–86,400. */
  readonly ttlSeconds?: number | undefined;
}

export const nameLifetimeSecondsMax: number = 90 * 86_400;
export const ttlSecondsMax = 86_400;

const labelField = textField(1, { bytesMax: 63, accept: isLabel });

/* Taken: 3 names below this one, 4 transfers, 5 registrar's certificate, 6 zone file. */
const live = bodyCodec<NameBody>({
  label: labelField,
  root: mappedField(2, { parse: parseRoot, encode: (root) => root.bytes }),
  ttlSeconds: optional(uintField(7, { max: ttlSecondsMax })),
});

const withdrawn = bodyCodec<{ label: string }>({ label: labelField });

const openZone = new Uint8Array(32);
const keyContext = utf8('altnet/key/name\0');

/** Where the label's record belongs in the DHT. */
export function nameKey(label: string): Bytes {
  return sha256(keyContext, openZone, utf8(label));
}

/** Undefined for another kind, a tombstone, or a body that breaks a limit. */
export function parseName(record: SignedRecord): NameBody | undefined {
  if (record.kind !== recordKinds.name || record.tombstone) return undefined;
  return live.parse(record.fields);
}

/** The label of a name record, live or withdrawn; undefined as for `parseName`. */
export function labelOf(record: SignedRecord): string | undefined {
  if (record.kind !== recordKinds.name) return undefined;
  if (!record.tombstone) return live.parse(record.fields)?.label;
  return record.fields.size === 1 ? withdrawn.parse(record.fields)?.label : undefined;
}

/** `stamp.powNonce` must show the profile's work, or storers answer POW. */
export function makeNameRecord(body: NameBody, stamp: Stamp, signer: Signer): SignedRecord {
  return makeRecord(
    { label: body.label, tombstone: false, body: live.encode(body) },
    stamp,
    signer,
  );
}

/** Gives the name up. It carries the same work as the record that it withdraws. */
export function makeNameTombstone(
  label: string,
  stamp: TombstoneStamp,
  signer: Signer,
): SignedRecord {
  const body = withdrawn.encode({ label });
  return makeRecord({ label, tombstone: true, body }, stamp, signer);
}

function makeRecord(
  { label, tombstone, body }: { label: string; tombstone: boolean; body: Bytes },
  stamp: Stamp,
  signer: Signer,
): SignedRecord {
  const lifetimeSecondsMax = nameLifetimeSecondsMax;
  const kind = recordKinds.name;
  return stampRecord(
    { kind, tombstone, key: nameKey(label), body, lifetimeSecondsMax },
    stamp,
    signer,
  );
}
