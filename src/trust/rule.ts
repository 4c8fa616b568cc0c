/**
 * One line of a blocklist as text: what it denies, or why it means nothing (docs/spec/trust.md,
 * "Lines"). Pure; it knows nothing of files, nor of the lines around it.
 */
import { base16 } from 'multiformats/bases/base16';
import { base32, base32upper } from 'multiformats/bases/base32';
import { base36 } from 'multiformats/bases/base36';
import { base58btc } from 'multiformats/bases/base58';
import { CID } from 'multiformats/cid';
import { type Bytes, parseHex } from '../base/bytes.ts';
import { isAltNetError } from '../base/errors.ts';
import { parseKeyName, parseLabel } from '../record/label.ts';
import { canonicalUrl } from '../record/url.ts';

/** What a line denies or, with "!", allows. */
export type Rule =
  /** A block by its SHA-256, 32 bytes; as a root, with all that is below it. */
  | { readonly on: 'block'; readonly hash: Bytes }
  | PathRule
  | DoubleRule
  /** A label or key name, without ".alt". */
  | { readonly on: 'name'; readonly label: string }
  | { readonly on: 'url'; readonly canonical: string };

/** A path below a root and all below it; with `prefix` every path that begins with these letters. */
export interface PathRule {
  readonly on: 'path';
  /** SHA-256 of the root block, 32 bytes. */
  readonly root: Bytes;
  /** Decoded, without slashes at its ends, not ''. */
  readonly path: string;
  readonly prefix: boolean;
}

/** The SHA-256 of a spelling of what is denied, so that the list does not tell what that is. */
export interface DoubleRule {
  readonly on: 'double';
  readonly digest: Bytes;
  /** Of a multihash in base58btc, or of a CIDv1 in base32 as older lists do it. */
  readonly form: DoubleForm;
}

export type DoubleForm = 'multihash' | 'cid';

export type ParsedLine =
  | { readonly is: 'rule'; readonly rule: Rule; readonly allow: boolean }
  /** Empty, or a comment. */
  | { readonly is: 'nothing' }
  /** A valid line about something that AltNet does not have. */
  | { readonly is: 'foreign' }
  /** `why` continues the sentence "line 3: …". */
  | { readonly is: 'bad'; readonly why: string };

/** No spelling of a CID for SHA-256 is longer; decoding takes the square of the length. */
const cidCharsMax = 128;
const sha256Code = 0x12;
const digestBytes = 32;

const nothing: ParsedLine = { is: 'nothing' };
const foreign: ParsedLine = { is: 'foreign' };

/** `text` is a line without its end. */
export function parseLine(text: string): ParsedLine {
  const line = text.trim();
  if (line === '' || line.startsWith('#')) return nothing;
  const [whole = ''] = line.split(/[ \t]/, 1); // hints follow, none of which means anything here
  const allow = whole.startsWith('!');
  const word = allow ? whole.slice(1) : whole;
  if (/\p{Cc}/u.test(word)) return bad('it holds control characters');
  const parsed = parseWord(word);
  return 'on' in parsed ? { is: 'rule', rule: parsed, allow } : parsed;
}

function parseWord(word: string): Rule | ParsedLine {
  if (word.startsWith('//')) return parseDouble(word.slice(2));
  const [, space = '', rest = ''] = /^\/([a-z]+)\/(.*)$/.exec(word) ?? [];
  switch (space) {
    case 'ipfs':
    case 'ipld':
      return parseContent(rest);
    case 'ipns':
      return parseIpns(rest);
    case 'name':
      return parseName(rest);
    case 'url':
      return parseUrl(rest);
    default: {
      const hash = parseHex(word, digestBytes);
      return hash ? { on: 'block', hash } : bad(`it begins with none of ${beginnings}`);
    }
  }
}

const beginnings = '/ipfs/, /ipns/, /name/, /url/, //, and is no SHA-256 of 64 hex digits';

function parseContent(rest: string): Rule | ParsedLine {
  const slash = rest.indexOf('/');
  const cid = slash === -1 ? rest : rest.slice(0, slash);
  const root = parseCid(cid);
  if (!root) return bad('that is no CID');
  if (root.multihash.code !== sha256Code) return foreign;
  const hash = root.multihash.digest;
  if (hash.length !== digestBytes) return bad('its SHA-256 has not 32 bytes');
  return parsePath(hash, slash === -1 ? '' : rest.slice(slash + 1));
}

const cidDecoder = base32.decoder
  .or(base58btc.decoder)
  .or(base36.decoder)
  .or(base16.decoder)
  .or(base32upper.decoder);

function parseCid(text: string): CID | undefined {
  if (text.length > cidCharsMax) return undefined;
  try {
    return CID.parse(text, cidDecoder);
  } catch {
    return undefined;
  }
}

/** "/*" after a root means the root, after a folder that path with anything behind it. */
function parsePath(root: Bytes, text: string): Rule | ParsedLine {
  const prefix = text.endsWith('*');
  const names = (prefix ? text.slice(0, -1) : text).split('/').filter((name) => name !== '');
  const decoded: string[] = []; // BOUNDED by the length of a line
  for (const name of names) {
    const plain = decodeName(name);
    if (plain === undefined) return bad('its path is not percent-encoded UTF-8');
    if (plain === '.' || plain === '..' || /[/\0]/.test(plain)) {
      return bad('its path has a name that no file can have');
    }
    decoded.push(plain);
  }
  const path = decoded.join('/');
  return path === '' ? { on: 'block', hash: root } : { on: 'path', root, path, prefix };
}

function decodeName(name: string): string | undefined {
  try {
    return decodeURIComponent(name);
  } catch {
    return undefined;
  }
}

/** Our names, among those of the DNS and of IPNS keys. */
function parseIpns(rest: string): Rule | ParsedLine {
  const slash = rest.indexOf('/');
  const name = slash === -1 ? rest : rest.slice(0, slash);
  const behind = slash === -1 ? '' : rest.slice(slash + 1);
  if (name === '') return bad('there is no name');
  if (!/\.alt\.?$/i.test(name) && !parseKeyName(name.toLowerCase())) return foreign;
  if (behind !== '' && behind !== '*') {
    return bad('a path below a name cannot be denied; deny it below the root that the name shows');
  }
  return parseName(name);
}

function parseName(text: string): Rule | ParsedLine {
  const bare = text
    .toLowerCase()
    .replace(/\.$/, '')
    .replace(/\.alt$/, '');
  if (parseKeyName(bare)) return { on: 'name', label: bare };
  const parsed = parseLabel(text);
  return parsed.ok ? { on: 'name', label: parsed.label } : bad(`no such name: ${parsed.why}`);
}

/** As a URL, or without its scheme in the form that is hashed. */
function parseUrl(text: string): Rule | ParsedLine {
  if (!text.startsWith('//')) return parseWholeUrl(text);
  // ":80" is no default port, and stays, only with https.
  const secure = parseWholeUrl(`https:${text}`);
  const isFinal = 'canonical' in secure && secure.canonical === text;
  return isFinal ? secure : parseWholeUrl(`http:${text}`);
}

function parseWholeUrl(text: string): Rule | ParsedLine {
  try {
    return { on: 'url', canonical: canonicalUrl(text).canonical };
  } catch (error) {
    if (isAltNetError(error, 'BAD_URL')) return bad(`no such URL: ${error.details.why}`);
    throw error;
  }
}

function parseDouble(text: string): Rule | ParsedLine {
  const hex = parseHex(text, digestBytes);
  if (hex) return { on: 'double', digest: hex, form: 'cid' };
  const multihash = parseMultihash(text);
  if (!multihash) return bad('behind // stands neither a multihash in base58btc nor 64 hex digits');
  const [code, length] = multihash;
  if (code !== sha256Code) return bad('its hash function is not SHA-256');
  const digest = multihash.subarray(2);
  if (length !== digestBytes || digest.length !== digestBytes) {
    return bad('its SHA-256 has not 32 bytes');
  }
  return { on: 'double', digest, form: 'multihash' };
}

function parseMultihash(text: string): Bytes | undefined {
  if (text === '' || text.length > cidCharsMax) return undefined;
  try {
    return base58btc.baseDecode(text);
  } catch {
    return undefined;
  }
}

function bad(why: string): ParsedLine {
  return { is: 'bad', why };
}
