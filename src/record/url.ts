/**
 * The canonical form of a URL, whose hash says where its links are (docs/spec/links.md, "Canonical
 * form"). It must never change: a URL that moves to another key has lost its links. Hence what the
 * platform's URL parser leaves to its version is settled here.
 */
import { utf8 } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';

export interface CanonicalUrl {
  /** "//host[:port]/path[?query]", ASCII, at most 2,048 characters. */
  readonly canonical: string;
  readonly scheme: 'http' | 'https';
}

export const urlBytesMax = 2048;

/** Throws BAD_URL. */
export function canonicalUrl(text: string): CanonicalUrl {
  if (text.length > urlBytesMax || utf8(text).length > urlBytesMax) throw bad(text, tooLong);
  const url = URL.parse(text);
  if (!url) throw bad(text, 'it has no form http://host/path');
  const scheme = schemeOf(url);
  if (!scheme) throw bad(text, 'only http and https addresses have alternatives');
  if (url.username !== '' || url.password !== '') throw bad(text, 'it contains a user name');
  const host = url.hostname.replace(/\.$/, '');
  if (!hostForm.test(host)) throw bad(text, 'no such host name can exist');
  const port = url.port === '' ? '' : `:${url.port}`;
  const canonical = `//${host}${port}${escape(url.pathname)}${escape(url.search)}`;
  if (canonical.length > urlBytesMax) throw bad(text, tooLong);
  return { canonical, scheme };
}

/**
 * IPv6, or labels as they occur in the DNS. Parsers let more pass, and not all of them the same.
 */
const hostForm = /^(\[[0-9a-f:]+\]|[a-z0-9_-]+(\.[a-z0-9_-]+)*)$/;

const tooLong = `it is longer than ${urlBytesMax} bytes`;

function schemeOf({ protocol }: URL): CanonicalUrl['scheme'] | undefined {
  if (protocol === 'http:') return 'http';
  return protocol === 'https:' ? 'https' : undefined;
}

/** Long texts are cut: they end up on a terminal. */
function bad(text: string, why: string): AltNetError<'BAD_URL'> {
  return new AltNetError('BAD_URL', {
    text: text.length > 100 ? `${text.slice(0, 99)}…` : text,
    why,
  });
}

/**
 * Gives each octet one spelling, that of RFC 3986: unreserved characters plain, reserved ones as
 * they are, all others as %XX in capitals. URL parsers leave some of those others (`^`, `|`, `[`,
 * a lone `%`) and have changed their minds about which.
 */
function escape(part: string): string {
  return part.replaceAll(/%[0-9a-fA-F]{2}|[^\w.~!$&'()*+,;=:@/?-]/g, (found) => {
    if (found.length === 1) return encode(found);
    const octet = String.fromCharCode(Number.parseInt(found.slice(1), 16));
    return /[\w.~-]/.test(octet) ? octet : found.toUpperCase();
  });
}

/** What a URL parser lets through here is ASCII. */
function encode(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
