/**
 * Words of users, judged before there is a node to ask: a name, root or URL that can never be one
 * is wrong whether a node runs or not. The judgement is that of the parts, which make it again.
 */
import type { LinkInput } from '../api/ports.ts';
import { parseHex } from '../base/bytes.ts';
import { AltNetError, isAltNetError } from '../base/errors.ts';
import { parseRoot } from '../content/root.ts';
import { isSoundPoint } from '../identity/point.ts';
import { canonicalUrl } from '../link/canonical.ts';
import { checkLink } from '../link/check.ts';
import { checkTarget } from '../link/target.ts';
import type { Link } from '../link/types.ts';
import { parseAddress } from '../name/place.ts';

/** Throws BAD_NAME for what can be neither registered nor resolved. */
export function requireName(text: string): void {
  parseAddress(text);
}

/** Throws BAD_ARGUMENT for what can be no author's public key. */
export function parseAuthor(text: string): Uint8Array {
  const publicKey = parseHex(text, 32);
  if (publicKey && isSoundPoint(publicKey)) return publicKey;
  const why = "write the 64 hex digits of the author's public key";
  throw new AltNetError('BAD_ARGUMENT', { what: text, why });
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
