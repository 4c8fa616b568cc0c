/**
 * What a user wants blocked, as a line of the blocklist and as the rule that the line is. Pure.
 */
import { base32 } from 'multiformats/bases/base32';
import { CID } from 'multiformats/cid';
import { create as createDigest } from 'multiformats/hashes/digest';
import { AltNetError } from '../base/errors.ts';
import { canonicalUrl } from '../record/url.ts';
import { type ParsedLine, parseLine, type Rule } from './rule.ts';
import { isEmptyContent } from './rule-set.ts';

export interface Entry {
  /** Without a note. */
  readonly line: string;
  readonly rule: Rule;
}

const shownCharsMax = 100;
const dagPbCode = 0x70;
const sha256Code = 0x12;

/**
 * `what`: CID or 64 hex digits, name, URL, or a line as it stands in the file, such as
 * "/ipfs/CID/path". Throws BAD_ARGUMENT, BAD_NAME or BAD_URL.
 */
export function parseEntry(what: string): Entry {
  const text = what.trim();
  if (/^https?:|^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return urlEntry(text);
  if (/\s/.test(text)) throw refused(text, 'one entry holds no spaces; write %20 in a path');
  const entry = text.startsWith('/') ? lineEntry(text) : (rootEntry(text) ?? nameEntry(text));
  if (entry.rule.on !== 'block' || !isEmptyContent(entry.rule.hash)) return entry;
  throw refused(text, 'it is empty, and any site may hold it');
}

function urlEntry(text: string): Entry {
  const { canonical, scheme } = canonicalUrl(text);
  return { line: `/url/${scheme}:${canonical}`, rule: { on: 'url', canonical } };
}

function lineEntry(text: string): Entry {
  const parsed = parseLine(text);
  if (parsed.is !== 'rule') throw refused(text, flawOf(parsed));
  return { line: text, rule: parsed.rule };
}

/** A root always as CIDv1, which other programs read as well. */
function rootEntry(text: string): Entry | undefined {
  const parsed = parseLine(/^[0-9a-f]{64}$/i.test(text) ? text : `/ipfs/${text}`);
  if (parsed.is === 'foreign') throw refused(text, 'only SHA-256 is used here');
  if (parsed.is !== 'rule' || parsed.rule.on !== 'block') return undefined;
  const { rule } = parsed;
  const cid = CID.createV1(codecOf(text), createDigest(sha256Code, rule.hash));
  return { line: `/ipfs/${cid.toString(base32)}`, rule };
}

function codecOf(text: string): number {
  try {
    return CID.parse(text).code;
  } catch {
    return dagPbCode; // as hex digits, or in a base that does not say its codec by itself
  }
}

function nameEntry(text: string): Entry {
  const parsed = parseLine(`/name/${text}`);
  if (parsed.is === 'rule' && parsed.rule.on === 'name') {
    return { line: `/name/${parsed.rule.label}.alt`, rule: parsed.rule };
  }
  throw new AltNetError('BAD_NAME', { name: shown(text), why: flawOf(parsed) });
}

function flawOf(parsed: ParsedLine): string {
  if (parsed.is === 'bad') return parsed.why.replace(/^no such name: /, '');
  return parsed.is === 'foreign' ? 'AltNet has no such thing' : 'write a root, a name or a URL';
}

/** A note as a hint, which stays with its line: no spaces, no control characters, no colon. */
export function encodeNote(note: string): string {
  const plain = note.trim().toWellFormed();
  return plain === '' ? '' : ` note:${plain.replace(/[\s%:\p{Cc}]/gu, encodeURIComponent)}`;
}

function refused(what: string, why: string): AltNetError<'BAD_ARGUMENT'> {
  return new AltNetError('BAD_ARGUMENT', { what: shown(what), why });
}

/** Long texts are cut: they end up on a terminal. */
function shown(text: string): string {
  return text.length > shownCharsMax ? `${text.slice(0, shownCharsMax - 1)}…` : text;
}
