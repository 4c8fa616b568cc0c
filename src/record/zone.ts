/**
 * Zones: who may write a name without having been there first. A registrar's public key is a zone;
 * it is hashed into the keys of its names, and its certificate says who may write one of them
 * (docs/spec/names.md, "Zones"). Which zones a node resolves is that node's policy: not known here.
 */
import { type Bytes, concatBytes, equalBytes, utf8 } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import { verifySignature } from '../identity/key.ts';
import type { BodyValue } from './body.ts';
import { type Field, isBytes, isUint } from './codec.ts';
import type { SignedRecord } from './envelope.ts';
import { recordKinds } from './kinds.ts';
import type { Signer } from './stamp.ts';

/** Where the first writer wins: 32 zero bytes, which are no public key. */
export const openZone: Bytes = new Uint8Array(32);

/** A zone without names: no public key is written like this, so nobody can sign one. */
export const nobodysZone: Bytes = new Uint8Array(32).fill(0xff);

export function isOpenZone(zone: Bytes): boolean {
  return equalBytes(zone, openZone);
}

/** Field numbers of a name's body that others than `name.ts` read. */
export const nameFields = { label: 1, transfers: 4, certificate: 5, offer: 8 } as const;

const keyContext = utf8('altnet/key/name\0');

/** Where the label's record belongs in the DHT. */
export function nameKey(label: string, zone: Bytes = openZone): Bytes {
  return sha256(keyContext, zone, utf8(label));
}

/** What a zone says: this owner may write this name, until a higher serial is seen. */
export interface Certificate {
  /** Ed25519 public key of the registrar, 32 bytes. */
  readonly zone: Bytes;
  /** The highest of a name wins: 0 to 2^53 − 1. */
  readonly serial: number;
  /** Unix seconds: no record issued before is covered. */
  readonly notBefore: number;
  /** Unix seconds: no record that expires later is covered. */
  readonly notAfter: number;
  /** 64 bytes. */
  readonly signature: Bytes;
}

/** What a certificate is about. */
export interface CertificateTerms extends Pick<Certificate, 'serial' | 'notBefore' | 'notAfter'> {
  readonly label: string;
  /** The author who may write: Ed25519 public key, 32 bytes. */
  readonly owner: Bytes;
}

/** `signer` holds the zone's key. Throws INTERNAL for times or a serial that do not fit. */
export function signCertificate(terms: CertificateTerms, { key, network }: Signer): Certificate {
  const { label, owner, ...rest } = terms;
  const zone = key.publicKey;
  const unsigned = { ...rest, zone };
  const about = { key: nameKey(label, zone), owner, network };
  const signature = key.sign(signedByZone(unsigned, about));
  const certificate = certificateField.read(certificateField.write({ ...unsigned, signature }));
  if (certificate) return certificate;
  throw new AltNetError('INTERNAL', { what: 'a certificate was asked for that cannot be written' });
}

/** Whether the zone signed this for the owner of the name under `key`. Times are not looked at. */
export function isCertified(
  certificate: Certificate,
  about: { readonly key: Bytes; readonly owner: Bytes; readonly network: Bytes },
): boolean {
  const { zone: publicKey, signature } = certificate;
  const message = signedByZone(certificate, about);
  return verifySignature({ publicKey, message, signature });
}

const certificateContext = utf8('altnet/reg/1\0');

function signedByZone(
  { serial, notBefore, notAfter }: Omit<Certificate, 'signature'>,
  { key, owner, network }: { key: Bytes; owner: Bytes; network: Bytes },
): Bytes {
  const numbers = Buffer.alloc(16);
  numbers.writeBigUInt64BE(BigInt(serial), 0);
  numbers.writeUInt32BE(notBefore, 8);
  numbers.writeUInt32BE(notAfter, 12);
  return concatBytes(certificateContext, network, key, owner, numbers);
}

const unixSecondsMax = 0xffff_ffff;

/** [zone 32, serial, notBefore, notAfter, signature 64]. The open zone has no key to sign with. */
export const certificateField: Field<Certificate> = {
  number: nameFields.certificate,
  read(value) {
    if (!Array.isArray(value) || value.length !== 5) return undefined;
    const [zone, serial, notBefore, notAfter, signature] = value as readonly BodyValue[];
    if (!isBytes(zone, 32, 32) || isOpenZone(zone) || !isBytes(signature, 64, 64)) return undefined;
    if (!isUint(serial, Number.MAX_SAFE_INTEGER)) return undefined;
    if (!isUint(notBefore, unixSecondsMax) || !isUint(notAfter, unixSecondsMax)) return undefined;
    return { zone, serial, notBefore, notAfter, signature };
  },
  write: ({ zone, serial, notBefore, notAfter, signature }) => [
    zone,
    serial,
    notBefore,
    notAfter,
    signature,
  ],
};

/** The certificate that a name record carries; undefined without one, and for other kinds. */
export function certificateOf(record: SignedRecord): Certificate | undefined {
  const value = record.fields.get(nameFields.certificate);
  if (record.kind !== recordKinds.name || value === undefined) return undefined;
  return certificateField.read(value);
}

/**
 * The zone that the record's key is made of: its certificate's; without one the open zone or its
 * author's own. Undefined for other kinds and for a key that is made of neither.
 */
export function zoneOf(record: SignedRecord): Bytes | undefined {
  const label = record.fields.get(nameFields.label);
  if (record.kind !== recordKinds.name || typeof label !== 'string') return undefined;
  const certificate = certificateOf(record);
  const candidates = certificate ? [certificate.zone] : [openZone, record.author];
  return candidates.find((zone) => equalBytes(nameKey(label, zone), record.key));
}

/** The serial by which a zone orders the owners of a name; 0 for what the zone itself wrote. */
export function serialOf(record: SignedRecord): number {
  return certificateOf(record)?.serial ?? 0;
}
