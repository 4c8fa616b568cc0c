/**
 * Which databases of one user were told to trust which authority, so that they can be told
 * otherwise even after the authority is gone. Written before a database is touched.
 */
import { AltNetError } from '../../base/errors.ts';
import type { System } from './system.ts';

export interface TrustJournal {
  readonly name: string;
  readonly fingerprint: string;
  readonly databases: readonly {
    readonly folder: string;
    readonly program: 'chromium' | 'firefox';
    /** It was not there before. */
    readonly isMade: boolean;
  }[];
}

const version = 1;
const databasesMax = 512;

/** Undefined when there is none. Rejects with SETUP_FAILED when it cannot be understood. */
export async function readTrustJournal(
  system: System,
  path: string,
): Promise<TrustJournal | undefined> {
  const file = await system.read(path);
  if (!file) return undefined;
  const journal = parse(Buffer.from(file.bytes).toString('utf8'));
  if (journal) return journal;
  const why = 'it is damaged; remove it, then run altnet setup ca --undo';
  throw new AltNetError('SETUP_FAILED', { what: path, why });
}

export async function writeTrustJournal(
  system: System,
  path: string,
  journal: TrustJournal,
): Promise<void> {
  const text = `${JSON.stringify({ version, ...journal }, undefined, 2)}\n`;
  await system.write(path, { bytes: Buffer.from(text), mode: 0o600 });
}

function parse(text: string): TrustJournal | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Readonly<Record<string, unknown>>;
  const { name, fingerprint, databases } = fields;
  if (fields['version'] !== version || typeof name !== 'string') return undefined;
  // Both become words of a command: nothing else may stand there.
  if (!/^[\w ]{1,64}$/.test(name)) return undefined;
  if (typeof fingerprint !== 'string' || !/^[0-9A-F:]{95}$/.test(fingerprint)) return undefined;
  if (!Array.isArray(databases) || databases.length > databasesMax) return undefined;
  if (!databases.every(isDatabase)) return undefined;
  return { name, fingerprint, databases };
}

function isDatabase(value: unknown): value is TrustJournal['databases'][number] {
  if (typeof value !== 'object' || value === null) return false;
  const { folder, program, isMade } = value as Readonly<Record<string, unknown>>;
  return (
    typeof folder === 'string' &&
    folder.startsWith('/') &&
    (program === 'chromium' || program === 'firefox') &&
    typeof isMade === 'boolean'
  );
}
