/**
 * Name records: what a name shows, and by what right its author writes it (docs/spec/records.md).
 * Who of several authors holds a name, storers and resolvers decide: not known here.
 */
import type { CID } from 'multiformats/cid';
import { type Bytes, equalBytes } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import type { BodyValue } from './body.ts';
import { bodyCodec, type Field, mappedField, optional, textField, uintField } from './codec.ts';
import { bodyBytesMax, type SignedRecord } from './envelope.ts';
import { recordKinds } from './kinds.ts';
import { isLabel, isSubLabel } from './label.ts';
import { parseRoot } from './root.ts';
import { type Signer, type Stamp, stampRecord, type TombstoneStamp } from './stamp.ts';
import { offerField, type TransferLink, type TransferOffer, transfersField } from './transfer.ts';
import { type Certificate, certificateField, nameFields, nameKey, openZone } from './zone.ts';

export { nameKey } from './zone.ts';

/** What places a name under its key and shows its author's right to write there. */
export interface NameTitle {
  /** In its final form, without ".alt". */
  readonly label: string;
  /** How the author came by the name, oldest first, 1–3 of them; open zone only. */
  readonly transfers?: readonly TransferLink[] | undefined;
  /** What a zone says of the author; its zone is the name's. */
  readonly certificate?: Certificate | undefined;
}

export interface NameBody extends NameTitle {
  /** What the name shows: CIDv1, SHA-256. */
  readonly root: CID;
  /** What the names below it show, by their label: 1–10 of them. */
  readonly subnames?: ReadonlyMap<string, CID> | undefined;
  /** A file that says what more names below it show. */
  readonly zoneFile?: CID | undefined;
  /** How long resolvers may keep it: 0–86,400. */
  readonly ttlSeconds?: number | undefined;
  /** To whom the author gives the name away; open zone only. */
  readonly offer?: TransferOffer | undefined;
}

export const nameLifetimeSecondsMax: number = 90 * 86_400;
export const ttlSecondsMax = 86_400;
export const subnamesMax = 10;

const rootMapping = { parse: parseRoot, encode: (root: CID): Bytes => root.bytes };

const subnamesField: Field<ReadonlyMap<string, CID>> = {
  number: 3,
  read(value) {
    if (!(value instanceof Map) || value.size < 1 || value.size > subnamesMax) return undefined;
    const subnames = new Map<string, CID>();
    for (const [label, target] of value as ReadonlyMap<number | string, BodyValue>) {
      const root = target instanceof Uint8Array ? parseRoot(target) : undefined;
      if (typeof label !== 'string' || !isSubLabel(label) || !root) return undefined;
      subnames.set(label, root);
    }
    return subnames;
  },
  write: (subnames) => new Map([...subnames].map(([label, root]) => [label, root.bytes])),
};

const title = {
  label: textField(nameFields.label, { bytesMax: 63, accept: isLabel }),
  transfers: optional(transfersField),
  certificate: optional(certificateField),
};

const live = bodyCodec<NameBody>({
  ...title,
  root: mappedField(2, rootMapping),
  subnames: optional(subnamesField),
  zoneFile: optional(mappedField(6, rootMapping)),
  ttlSeconds: optional(uintField(7, { max: ttlSecondsMax })),
  offer: optional(offerField),
});

const withdrawn = bodyCodec<NameTitle>(title);
const titleNumbers: ReadonlySet<number> = new Set(Object.values(title).map(({ number }) => number));

/** Undefined for another kind, a tombstone, or a body that breaks a limit. */
export function parseName(record: SignedRecord): NameBody | undefined {
  if (record.kind !== recordKinds.name || record.tombstone) return undefined;
  return live.parse(record.fields);
}

/** The label of a name record, live or withdrawn; undefined as for `parseName`. */
export function labelOf(record: SignedRecord): string | undefined {
  if (record.kind !== recordKinds.name) return undefined;
  if (!record.tombstone) return live.parse(record.fields)?.label;
  const isExact = [...record.fields.keys()].every((number) => titleNumbers.has(number));
  return isExact ? withdrawn.parse(record.fields)?.label : undefined;
}

/** Where a name belongs when its certificate does not say it. */
export interface NamePlace {
  /** The author's own public key, or the open zone. */
  readonly zone?: Bytes | undefined;
}

/**
 * `stamp.powNonce` must show the profile's work for a name of the open zone, or storers answer POW.
 * With a certificate, the record expires with it at the latest. Throws VALUE_TOO_BIG for a body
 * that no record can hold.
 */
export function makeNameRecord(
  body: NameBody,
  stamp: Stamp,
  signer: Signer,
  place: NamePlace = {},
): SignedRecord {
  return makeRecord(
    { title: body, tombstone: false, body: live.encode(body), place },
    stamp,
    signer,
  );
}

/** Gives the name up. It carries the same work as the record that it withdraws, and its title. */
export function makeNameTombstone(
  held: string | NameTitle,
  stamp: TombstoneStamp,
  signer: Signer,
  place: NamePlace = {},
): SignedRecord {
  const { label, transfers, certificate } = typeof held === 'string' ? { label: held } : held;
  const kept = { label, transfers, certificate };
  return makeRecord(
    { title: kept, tombstone: true, body: withdrawn.encode(kept), place },
    stamp,
    signer,
  );
}

function makeRecord(
  what: { title: NameTitle; tombstone: boolean; body: Bytes; place: NamePlace },
  stamp: Stamp,
  signer: Signer,
): SignedRecord {
  const { title: held, tombstone, body, place } = what;
  if (body.length > bodyBytesMax) {
    throw new AltNetError('VALUE_TOO_BIG', { bytes: body.length, bytesMax: bodyBytesMax });
  }
  const zone = held.certificate?.zone ?? place.zone ?? openZone;
  if (place.zone && !equalBytes(place.zone, zone)) {
    throw new AltNetError('INTERNAL', { what: 'a name has another zone than its certificate' });
  }
  const left = (held.certificate?.notAfter ?? Number.MAX_SAFE_INTEGER) - stamp.issued;
  const lifetimeSecondsMax = Math.min(nameLifetimeSecondsMax, left);
  const key = nameKey(held.label, zone);
  return stampRecord(
    { kind: recordKinds.name, tombstone, key, body, lifetimeSecondsMax },
    stamp,
    signer,
  );
}
