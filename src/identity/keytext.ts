/**
 * Private keys as one line of text, in key files and for people to keep: the line says what it is
 * and notices every mistyped character (docs/spec/identity.md, "Key text"). Touches no file.
 */
import { base32 } from 'multiformats/bases/base32';
import { type Bytes, concatBytes, equalBytes, utf8 } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import { type KeyKind, SigningKey } from './key.ts';

export type ParsedKey =
  | { readonly ok: true; readonly key: SigningKey }
  | { readonly ok: false; readonly why: string };

const seedBytes = 32;
/** With the seed 40 bytes: 64 digits with no bit left over. */
const checksumBytes = 8;
const checksumContext = utf8('altnet/keytext/1\0');
const form = /^altnet-(node|author)-key-1-([a-z2-7]{64})$/;

/** "altnet-author-key-1-" and 64 characters: base32(seed 32 ‖ checksum 8). */
export function encodeKeyText(key: SigningKey): string {
  const seed = key.exportSeed();
  const bytes = concatBytes(seed, checksum(key.kind, seed));
  return `altnet-${key.kind}-key-1-${base32.baseEncode(bytes)}`;
}

/** Accepts surrounding space and capitals; `why` never repeats any part of the text. */
export function parseKeyText(text: string): ParsedKey {
  const match = form.exec(text.trim().toLowerCase());
  const digits = match?.[2];
  if (digits === undefined) return { ok: false, why: 'it does not have the form of a key' };
  const kind: KeyKind = match?.[1] === 'node' ? 'node' : 'author';
  const bytes = base32.decoder.baseDecode(digits);
  const seed = bytes.slice(0, seedBytes);
  return equalBytes(bytes.subarray(seedBytes), checksum(kind, seed))
    ? { ok: true, key: new SigningKey(kind, seed) }
    : { ok: false, why: 'its checksum is wrong; a character is missing or mistyped' };
}

function checksum(kind: KeyKind, seed: Bytes): Bytes {
  return sha256(checksumContext, utf8(kind), seed).slice(0, checksumBytes);
}

/** What `--export-key` prints. Only an author key is worth keeping apart from its node. */
export function exportKeyString(key: SigningKey): string {
  if (key.kind !== 'author')
    throw new AltNetError('INTERNAL', { what: 'only authors are exported' });
  return encodeKeyText(key);
}

/** The author key in an exported string. Throws BAD_KEY_STRING. */
export function importKeyString(text: string): SigningKey {
  const parsed = parseKeyText(text);
  if (!parsed.ok) throw new AltNetError('BAD_KEY_STRING', { why: parsed.why });
  if (parsed.key.kind === 'author') return parsed.key;
  throw new AltNetError('BAD_KEY_STRING', { why: "it is a node's key, not an author's" });
}
