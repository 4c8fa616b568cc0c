/**
 * A registrar's certificate as one line of text, for its owner to paste: it says what it is about
 * and notices every mistyped character (docs/spec/names.md, "Certificates"). Whether it can be used
 * here and now is not known here.
 */
import { base32 } from 'multiformats/bases/base32';
import { asBuffer, type Bytes, concatBytes, equalBytes, parseUtf8, utf8 } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import { isLabel } from '../record/label.ts';
import { type Certificate, isOpenZone } from '../record/zone.ts';

/** A certificate with what it is about; in a record, that follows from the record. */
export interface NamedCertificate extends Certificate {
  /** `networkId` of the network that it holds in. */
  readonly network: Bytes;
  /** Without ".alt". */
  readonly label: string;
  /** Who may write the name: Ed25519 public key. */
  readonly owner: Bytes;
}

/** The form has no capitals and no signs: it survives mail, chat and a double click. */
const prefix = 'altcert1';
const checksumBytes = 8;
const checksumContext = utf8('altnet/certtext/1\0');
/** network 16 ‖ zone 32 ‖ owner 32 ‖ serial 8 ‖ notBefore 4 ‖ notAfter 4 ‖ signature 64 ‖ label. */
const labelStart = 160;
/** With the longest label 371 characters; people and mail programs break lines in between. */
const textCharsMax = 1000;

/** "altcert1" and the base32 of the certificate and its checksum. */
export function encodeCertificate(certificate: NamedCertificate): string {
  const { network, zone, owner, serial, notBefore, notAfter, signature, label } = certificate;
  const numbers = Buffer.alloc(16);
  numbers.writeBigUInt64BE(BigInt(serial), 0);
  numbers.writeUInt32BE(notBefore, 8);
  numbers.writeUInt32BE(notAfter, 12);
  const octets = concatBytes(network, zone, owner, numbers, signature, utf8(label));
  return prefix + base32.baseEncode(concatBytes(octets, checksumOf(octets)));
}

/**
 * Space and capitals do not matter. Throws CERTIFICATE_BAD. The signature is not looked at.
 */
export function parseCertificate(text: string): NamedCertificate {
  const word = text.length > textCharsMax ? '' : text.replace(/\s/g, '').toLowerCase();
  if (!word.startsWith(prefix)) throw certificateBad(`it does not begin with ${prefix}`);
  const octets = decodeDigits(word.slice(prefix.length));
  const certificate = octets && decodeOctets(octets);
  if (certificate) return certificate;
  throw certificateBad('a character is missing or mistyped; copy the whole line');
}

function decodeDigits(digits: string): Bytes | undefined {
  try {
    const octets = base32.baseDecode(digits);
    const body = octets.subarray(0, -checksumBytes);
    const isWhole = equalBytes(octets.subarray(-checksumBytes), checksumOf(body));
    return isWhole && base32.baseEncode(octets) === digits ? body : undefined;
  } catch {
    return undefined;
  }
}

function decodeOctets(octets: Bytes): NamedCertificate | undefined {
  const label = parseUtf8(octets.subarray(labelStart));
  if (label === undefined || !isLabel(label)) return undefined;
  const view = asBuffer(octets);
  const serial = view.readBigUInt64BE(80);
  const zone = octets.slice(16, 48);
  if (serial > BigInt(Number.MAX_SAFE_INTEGER) || isOpenZone(zone)) return undefined;
  return {
    network: octets.slice(0, 16),
    zone,
    owner: octets.slice(48, 80),
    serial: Number(serial),
    notBefore: view.readUInt32BE(88),
    notAfter: view.readUInt32BE(92),
    signature: octets.slice(96, labelStart),
    label,
  };
}

function checksumOf(octets: Bytes): Bytes {
  return sha256(checksumContext, octets).slice(0, checksumBytes);
}

export function certificateBad(why: string): AltNetError<'CERTIFICATE_BAD'> {
  return new AltNetError('CERTIFICATE_BAD', { why });
}
