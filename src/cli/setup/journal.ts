/**
 * What was there before a change, kept in a file until it is taken back: written before anything
 * else, so that a change that broke off half-way can be finished or undone. Does not change the
 * files that it tells of.
 */
import { createHash } from 'node:crypto';
import { AltNetError } from '../../base/errors.ts';
import type { System, SystemFile } from './system.ts';

export interface JournalFile {
  readonly path: string;
  /** SHA-256 of what was written, hex. */
  readonly written: string;
  /** What was there; null: nothing. */
  readonly before: { readonly base64: string; readonly mode: number } | null;
}

export interface Journal {
  readonly variant: string;
  /** under-way: it may have got to any point. */
  readonly state: 'under-way' | 'done';
  readonly files: readonly JournalFile[];
  /** The topmost folders that had to be made. */
  readonly folders: readonly string[];
}

const version = 1;
const filesMax = 16;

export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Undefined when nothing was changed. Rejects with SETUP_FAILED when it cannot be understood. */
export async function readJournal(system: System, path: string): Promise<Journal | undefined> {
  const file = await system.read(path);
  if (!file) return undefined;
  const journal = parseJournal(Buffer.from(file.bytes).toString('utf8'));
  if (journal) return journal;
  const why = 'it is damaged; take back by hand what altnet setup --print shows, then remove it';
  throw new AltNetError('SETUP_FAILED', { what: path, why });
}

export async function writeJournal(system: System, path: string, journal: Journal): Promise<void> {
  const text = `${JSON.stringify({ version, ...journal }, undefined, 2)}\n`;
  // Everybody may see what was changed; a file that not all may read is never replaced.
  await system.write(path, { bytes: Buffer.from(text), mode: 0o644 });
}

function parseJournal(text: string): Journal | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value) || value['version'] !== version) return undefined;
  const { variant, state, files, folders } = value;
  if (typeof variant !== 'string' || (state !== 'under-way' && state !== 'done')) return undefined;
  if (!Array.isArray(files) || files.length > filesMax || !files.every(isJournalFile)) {
    return undefined;
  }
  if (!Array.isArray(folders) || folders.length > filesMax || !folders.every(isPath)) {
    return undefined;
  }
  return { variant, state, files, folders };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isPath(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith('/') && !value.split('/').includes('..');
}

function isJournalFile(value: unknown): value is JournalFile {
  if (!isObject(value) || !isPath(value['path'])) return false;
  if (typeof value['written'] !== 'string' || !/^[0-9a-f]{64}$/.test(value['written']))
    return false;
  const { before } = value;
  if (before === null) return true;
  return (
    isObject(before) && typeof before['base64'] === 'string' && Number.isInteger(before['mode'])
  );
}

/** unchanged: as it was before. written: as it was left. edited: somebody else was there. */
export type FileState = 'unchanged' | 'written' | 'edited';

export async function stateOf(
  system: System,
  { path, written, before }: JournalFile,
): Promise<FileState> {
  const now = await system.read(path);
  if (now && sha256Hex(now.bytes) === written) return 'written';
  const isAsBefore =
    before === null
      ? now === undefined
      : now !== undefined && Buffer.from(now.bytes).equals(Buffer.from(before.base64, 'base64'));
  return isAsBefore ? 'unchanged' : 'edited';
}

export function contentBefore({ before }: JournalFile): SystemFile | undefined {
  return before ? { bytes: Buffer.from(before.base64, 'base64'), mode: before.mode } : undefined;
}
