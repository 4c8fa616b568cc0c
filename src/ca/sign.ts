/**
 * An X.509 certificate from what it is to say (RFC 5280, §4.1), signed with ECDSA and SHA-256. It
 * knows nothing of authorities and sites.
 */
import { sign } from 'node:crypto';
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  Certificate,
  type Extension,
  Extensions,
  Name,
  RelativeDistinguishedName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509';
import type { Bytes } from '../base/bytes.ts';
import type { CertificateKey } from './keys.ts';

export interface CertificateTerms {
  /** Common names. */
  readonly subject: string;
  readonly issuer: string;
  /** Unix milliseconds; a certificate knows whole seconds. */
  readonly fromMs: number;
  readonly toMs: number;
  /** SubjectPublicKeyInfo of whose certificate it is. */
  readonly spki: Bytes;
  readonly extensions: readonly Extension[];
  /** 16 random octets. */
  readonly serial: Bytes;
}

const ecdsaWithSha256 = '1.2.840.10045.4.3.2';
const commonName = '2.5.4.3';

/** PEM. */
export function signCertificate(terms: CertificateTerms, { secret }: CertificateKey): string {
  const algorithm = new AlgorithmIdentifier({ algorithm: ecdsaWithSha256 });
  const tbs = new TBSCertificate({
    version: Version.v3,
    serialNumber: exact(positive(terms.serial)),
    signature: algorithm,
    issuer: nameOf(terms.issuer),
    validity: new Validity({ notBefore: new Date(terms.fromMs), notAfter: new Date(terms.toMs) }),
    subject: nameOf(terms.subject),
    subjectPublicKeyInfo: AsnConvert.parse(terms.spki, SubjectPublicKeyInfo),
    extensions: new Extensions([...terms.extensions]),
  });
  const signed = AsnConvert.serialize(tbs);
  const certificate = new Certificate({
    tbsCertificate: tbs,
    signatureAlgorithm: algorithm,
    signatureValue: exact(sign('sha256', new Uint8Array(signed), secret)),
  });
  return encodePem(new Uint8Array(AsnConvert.serialize(certificate)));
}

function nameOf(text: string): Name {
  const value = new AttributeValue({ utf8String: text });
  return new Name([
    new RelativeDistinguishedName([new AttributeTypeAndValue({ type: commonName, value })]),
  ]);
}

/** Above zero and without a leading zero, as DER wants an integer. */
function positive(serial: Bytes): Bytes {
  const [first = 0, ...rest] = serial;
  return Uint8Array.of((first & 0x3f) | 0x40, ...rest);
}

/** Octets with a buffer of their own: those of Node.js often share one. */
function exact(bytes: Bytes): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}

const lineChars = 64;

function encodePem(der: Bytes): string {
  const text = Buffer.from(der).toString('base64');
  const lines = text.match(new RegExp(`.{1,${lineChars}}`, 'g')) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
