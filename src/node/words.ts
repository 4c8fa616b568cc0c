/**
 * Words of users, judged before there is a node to ask: a name, root or URL that can never be one
 * is wrong whether a node runs or not. The judgement is that of the parts, which make it again.
 */
import type { LinkInput } from '../api/ports-links.ts';
import { parseHex } from '../base/bytes.ts';
import { AltNetError, isAltNetError } from '../base/errors.ts';
import { parseRoot } from '../content/dag/root.ts';
import { isPublicKey } from '../identity/curve.ts';
import { canonicalUrl } from '../record/url.ts';
import { checkLink } from '../link/check.ts';
import { checkTarget } from '../link/target.ts';
import type { Link } from '../link/types.ts';
import { parseCertificate } from '../name/certificate-text.ts';
import { parseAddress } from '../name/place.ts';
import { keyName, parseKeyName } from '../record/label.ts';
import { parseEntry } from '../trust/entry.ts';

export { certificateDaysMax } from '../name/registrar.ts';

/** Throws CERTIFICATE_BAD for what no registrar has written, or what was not copied whole. */
export function requireCertificate(text: string): void {
  parseCertificate(text);
}

/** Throws BAD_NAME for what can be neither registered nor resolved. */
export function requireName(text: string): void {
  parseAddress(text);
}

/**
 * The public key of an author who is written as its key name, with or without ".alt", or as 64 hex
 * digits. Throws BAD_ARGUMENT for what can be neither. Only a key name shows that it was copied
 * whole, and is never an ID: of those every other one could be a public key.
 */
export function parseAuthor(text: string): Uint8Array {
  const publicKey = parseKeyName(text.toLowerCase().replace(/\.alt$/, '')) ?? parseHex(text, 32);
  if (publicKey && isPublicKey(publicKey)) return publicKey;
  const what = text.length > 100 ? `${text.slice(0, 99)}…` : text;
  const why = publicKey
    ? 'that is no public key, though an author ID looks like this; write the author key name'
    : 'write the author key name, or the 64 hex digits of the author public key';
  throw new AltNetError('BAD_ARGUMENT', { what, why: `${why}, as altnet key show prints it` });
}

/** What others write for this author: the key name, which is also a name to open. */
export function authorWord(publicKey: Uint8Array): string {
  return `${keyName(publicKey)}.alt`;
}

/** Throws BAD_ROOT for what is neither a CID nor 64 hex digits. */
export function requireRoot(text: string): void {
  parseRoot(text);
}

/** Throws BAD_NAME for what is neither a root nor a name. */
export function requireNameOrRoot(text: string): void {
  try {
    parseRoot(text);
  } catch (error) {
    if (!isAltNetError(error, 'BAD_ROOT')) throw error;
    parseAddress(text);
  }
}

/** Throws BAD_ARGUMENT, BAD_NAME or BAD_URL for what no line of a blocklist can be made of. */
export function requireEntry(text: string): void {
  parseEntry(text);
}

/** Throws BAD_URL for what no links can belong to. */
export function requireUrl(text: string): void {
  canonicalUrl(text);
}

/** Throws BAD_URL for a target that no link may have. */
export function requireTarget(text: string): void {
  checkTarget(text);
}

/** Throws BAD_URL or BAD_ARGUMENT for a link that cannot be put. */
export function requireLink(input: LinkInput): void {
  canonicalUrl(input.url);
  checkLink(parseLinkInput(input));
}

/** Throws BAD_ARGUMENT. */
export function parseLinkInput({ target, sha256: hash, captured, type, note }: LinkInput): Link {
  const sha256 = hash === undefined ? undefined : parseHex(hash, 32);
  if (hash !== undefined && !sha256) {
    throw new AltNetError('BAD_ARGUMENT', { what: 'sha256', why: 'write 64 hex digits' });
  }
  return { target, sha256, captured, type, note };
}
