/**
 * Key files: made at first start, never overwritten, refused when damaged or readable by others
 * (docs/spec/identity.md, "Key files"). Knows nothing of what the keys are used for.
 */
import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { equalBytes, toHex } from '../base/bytes.ts';
import type { Random } from '../base/clock.ts';
import { AltNetError, isAltNetError, systemCode } from '../base/errors.ts';
import { requirePrivate } from '../base/private-file.ts';
import {
  duplicate,
  readWhole,
  syncFolder,
  writeDraft,
  writeError,
  writeOnce,
} from '../base/whole-file.ts';
import { shortId } from './contact.ts';
import { type KeyKind, SigningKey } from './key.ts';
import { encodeKeyText, parseKeyText } from './keytext.ts';

/** A key file has about 200 bytes; anything long is something else. */
const fileBytesMax = 4096;

export interface Identity {
  readonly node: SigningKey;
  readonly author: SigningKey;
}

/**
 * The keys of a node, made when missing. Rejects with KEY_DAMAGED, KEY_EXPOSED, KEY_WRONG_KIND,
 * PATH_UNREADABLE, PATH_UNSUPPORTED, DISK_FULL.
 */
export async function loadIdentity({
  keydir,
  random,
}: {
  keydir: string;
  random: Random;
}): Promise<Identity> {
  const authorFile = keyFile(keydir, 'author');
  const node = await loadOrCreateKey({ file: keyFile(keydir, 'node'), kind: 'node', random });
  const author = await loadOrCreateKey({ file: authorFile, kind: 'author', random });
  // The node key also does key agreement, which is safe only while it signs nothing of value.
  if (equalBytes(node.publicKey, author.publicKey)) {
    throw new AltNetError('KEY_DAMAGED', { file: authorFile, why: "it holds the node's key" });
  }
  return { node, author };
}

/** Where the key of this kind is in a key folder. */
export function keyFile(keydir: string, kind: KeyKind): string {
  return path.join(keydir, `${kind}.key`);
}

/** The key in `file`; a new one when there is no such file. Rejects like `loadIdentity`. */
export async function loadOrCreateKey({
  file,
  kind,
  random,
}: {
  file: string;
  kind: KeyKind;
  random: Random;
}): Promise<SigningKey> {
  const existing = await readKey(file, kind);
  if (existing) return existing;
  const text = describe(new SigningKey(kind, random.bytes(32)));
  await writeOnce(file, { text, mode: 0o600 }, random);
  const key = await readKey(file, kind); // of another process, if that was first
  if (key) return key;
  const why = 'it is a link to nowhere';
  throw new AltNetError('PATH_UNSUPPORTED', { path: file, why });
}

/**
 * Puts an imported key into `file`. A different key that is there already is kept beside it, under
 * the name that is returned. Rejects with PATH_UNREADABLE, PATH_UNSUPPORTED, DISK_FULL.
 */
export async function writeImportedKey({
  file,
  key,
  random,
}: {
  file: string;
  key: SigningKey;
  random: Random;
}): Promise<{ readonly backup: string | undefined }> {
  const existing = await backupNameFor(file, key);
  if (existing === 'same') return { backup: undefined };
  const draft = await writeDraft(file, { text: describe(key), mode: 0o600 }, random);
  try {
    const backup = existing && (await keepBackup(file, existing));
    await rename(draft, file);
    await syncFolder(path.dirname(file));
    return { backup };
  } catch (error) {
    throw writeError(file, error);
  } finally {
    await rm(draft, { force: true });
  }
}

/** How the key in `file` is to be called when it gives way to `key`; undefined: no such file. */
async function backupNameFor(file: string, key: SigningKey): Promise<string | undefined> {
  try {
    const existing = await readKey(file, key.kind);
    if (!existing) return undefined;
    if (equalBytes(existing.publicKey, key.publicKey)) return 'same';
    return `${file}.${shortId(existing.id).slice(0, 16)}.backup`;
  } catch (error) {
    // Unusable here, but a person may still be able to rescue something from it.
    if (isAltNetError(error, 'PATH_UNREADABLE')) throw error;
    return `${file}.unusable.backup`;
  }
}

/** Keeps `file` under a second name that nothing has yet; there is no moment without a key. */
async function keepBackup(file: string, wanted: string): Promise<string> {
  for (let attempt = 1; attempt < 100; attempt += 1) {
    const backup = attempt === 1 ? wanted : `${wanted}.${attempt}`;
    try {
      await duplicate(file, backup);
      return backup;
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
  }
  throw new AltNetError('PATH_UNSUPPORTED', { path: wanted, why: 'there are too many backups' });
}

/** Undefined when there is no such file. Rejects like `loadIdentity`. */
export async function readKey(file: string, kind: KeyKind): Promise<SigningKey | undefined> {
  const text = await readKeyFile(file);
  if (text === undefined) return undefined;
  const line = text.split(/\r?\n/).find((candidate) => /^[^#\s]/.test(candidate));
  const parsed = parseKeyText(line ?? '');
  if (!parsed.ok) throw new AltNetError('KEY_DAMAGED', { file, why: parsed.why });
  const { key } = parsed;
  if (key.kind === kind) return key;
  throw new AltNetError('KEY_WRONG_KIND', { file, want: kind, have: key.kind });
}

function readKeyFile(file: string): Promise<string | undefined> {
  return readWhole(file, {
    bytesMax: fileBytesMax,
    check: (mode) => requirePrivate(file, mode),
    notOurs: () => new AltNetError('KEY_DAMAGED', { file, why: 'it is not a key file' }),
  });
}

function describe(key: SigningKey): string {
  const purpose = {
    node: 'It proves which node this is.',
    author: 'It signs your names and links: keep a copy where nobody else can read it.',
  };
  return [
    `# The secret ${key.kind} key of AltNet. ${purpose[key.kind]}`,
    `# Key ID ${toHex(key.id)}`,
    encodeKeyText(key),
    '',
  ].join('\n');
}
