/**
 * Name labels: the one label before ".alt". Two checks live here. `parseLabel` reads what a person
 * typed and may use Unicode tables; `isLabel` is what every storer applies to records and uses
 * none, so that nodes with different Unicode versions never disagree about a record.
 */
import { domainToASCII, domainToUnicode } from 'node:url';
import { base32 } from 'multiformats/bases/base32';
import { base36 } from 'multiformats/bases/base36';
import { CID } from 'multiformats/cid';
import { type Bytes, concatBytes, equalBytes, utf8 } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';
import { otherSystems } from '../base/other-systems.ts';

export type ParsedLabel =
  | { readonly ok: true; readonly label: string }
  /** `why` continues the sentence "… cannot be a name: ". */
  | { readonly ok: false; readonly why: string };

const suffix = '.alt';
const labelLengthMax = 63;

/** Those of other systems, and those that would mislead. */
const reservedLabels: ReadonlySet<string> = new Set([
  ...otherSystems,
  'localhost',
  'alt',
  'test',
  'invalid',
]);

/** An open-zone name as typed, with or without ".alt": its label in the one form that is hashed. */
export function parseLabel(text: string): ParsedLabel {
  const bare = stripSuffix(text);
  if (bare === '') return refuse('it is empty');
  if (bare.length > 4 * labelLengthMax) return refuse(tooLong);
  if (bare.includes('.')) return refuse(severalLabels);
  if (/[\0-\x7f]/.test(bare.replaceAll(/[\w-]/g, ''))) return refuse(badCharacters);
  const label = toAscii(bare);
  if (label === undefined) return refuse('it has characters that no host name can have');
  if (label.includes('.')) return refuse(severalLabels);
  const why = flawOf(label);
  return why === undefined ? { ok: true, label } : refuse(why);
}

/**
 * UTS 46, non-transitional. The ending is added for the conversion because a lone number would be
 * taken for an IPv4 address. Ideographic full stops come out as dots.
 */
function toAscii(bare: string): string | undefined {
  const host = domainToASCII(`${bare}${suffix}`);
  if (host === '') return undefined;
  const label = host.slice(0, -suffix.length);
  if (!label.startsWith('xn--')) return label;
  // A label that only pretends to be Punycode would be shown as something else by each browser.
  const unicode = domainToUnicode(host);
  return unicode !== host && domainToASCII(unicode) === host ? label : undefined;
}

/** "alice.alt" and "alice.alt." as "alice". */
function stripSuffix(text: string): string {
  const bare = text.endsWith('.') && text.length > 1 ? text.slice(0, -1) : text;
  return bare.toLowerCase().endsWith(suffix) ? bare.slice(0, -suffix.length) : bare;
}

function refuse(why: string): ParsedLabel {
  return { ok: false, why };
}

/** Whether `label` is an open-zone label in its final form. */
export function isLabel(label: string): boolean {
  return flawOf(label) === undefined;
}

const severalLabels = 'only one label stands before .alt; names below it belong to its owner';
const badCharacters = 'only letters, digits and hyphens are allowed';
const tooLong = `it has more than ${labelLengthMax} characters`;

/** Whether `label` may stand before a name, as in "blog.alice.alt": form only, nothing reserved. */
export function isSubLabel(label: string): boolean {
  return formFlawOf(label) === undefined;
}

function formFlawOf(label: string): string | undefined {
  if (label === '') return 'it is empty';
  if (label.length > labelLengthMax) return tooLong;
  if (!/^[a-z0-9-]+$/.test(label)) return badCharacters;
  if (label.startsWith('-') || label.endsWith('-')) return 'it begins or ends with a hyphen';
  return undefined;
}

function flawOf(label: string): string | undefined {
  const flaw = formFlawOf(label);
  if (flaw !== undefined) return flaw;
  if (reservedLabels.has(label)) return 'it is reserved';
  if (looksLikeKeyName(label)) return 'it has the form of a key name, which nobody can register';
  if (isCid(label)) return 'it is the CID of some content, which nobody can register';
  return undefined;
}

/** Whether browsers would be sent to content: a CIDv1 as base32 or base36. */
function isCid(label: string): boolean {
  try {
    const bytes = label.startsWith('b') ? base32.decode(label) : base36.decode(label);
    return CID.decode(bytes).version === 1;
  } catch {
    return false;
  }
}

/* Key names: base32(public key 32 ‖ checksum 2 ‖ version 1) */

const keyNameVersion = Uint8Array.of(1);
const keyNameLength = 56;
const checksumContext = utf8('altnet/keyname/1\0');

/** Also with a wrong checksum: else a mistyped key name could be somebody's registered name. */
function looksLikeKeyName(label: string): boolean {
  return label.length === keyNameLength && /^[a-z2-7]+$/.test(label);
}

function keyNameChecksum(publicKey: Bytes): Bytes {
  return sha256(checksumContext, publicKey, keyNameVersion).slice(0, 2);
}

/** The self-certifying label of a public key, 56 characters. */
export function keyName(publicKey: Bytes): string {
  const bytes = concatBytes(publicKey, keyNameChecksum(publicKey), keyNameVersion);
  return base32.baseEncode(bytes);
}

/** The 32-byte public key that `label` (lower case, no ".alt") spells, or undefined. */
export function parseKeyName(label: string): Bytes | undefined {
  if (!looksLikeKeyName(label)) return undefined;
  const bytes = base32.decoder.baseDecode(label); // 56 × 5 bits are 35 bytes, nothing left over
  const publicKey = bytes.slice(0, 32);
  const tail = concatBytes(keyNameChecksum(publicKey), keyNameVersion);
  return equalBytes(bytes.subarray(32), tail) ? publicKey : undefined;
}
