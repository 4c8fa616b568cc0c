/**
 * The lists of whom a node trusts and what it denies, read once as the node would read them, for
 * who wants to know what is wrong with them. Nothing follows from it.
 */
import path from 'node:path';
import { systemWorld } from '../base/clock.ts';
import { isAltNetError } from '../base/errors.ts';
import { silentLogger } from '../base/logger.ts';
import { seedBytes } from '../trust/digest-table.ts';
import { KeyList } from '../trust/key-list.ts';
import { loadRules } from '../trust/load-rules.ts';
import type { BadLine } from '../trust/ports.ts';
import { trustFiles } from '../trust/trust.ts';

export interface ListInspection {
  /** Absolute. */
  readonly file: string;
  /** Lines that count. */
  readonly entries: number;
  /** Lines that do not; of the blocklist the first 100. */
  readonly bad: readonly BadLine[];
  readonly badCount: number;
  /** The node does not start: why. */
  readonly unreadable?: string;
}

type ListContent = Pick<ListInspection, 'entries' | 'bad' | 'badCount'>;

/** Registrars, revokers, blocklist. Rejects when the signal aborts. */
export async function inspectLists(
  folder: string,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<readonly ListInspection[]> {
  const readers: Readonly<Record<keyof typeof trustFiles, typeof inspectKeys>> = {
    registrars: inspectKeys,
    revokers: inspectKeys,
    blocklist: inspectRules,
  };
  const names = ['registrars', 'revokers', 'blocklist'] as const;
  return await Promise.all(
    names.map(async (name) => {
      const file = path.join(folder, trustFiles[name]);
      try {
        return { file, ...(await readers[name](file, signal)) };
      } catch (error) {
        if (!isAltNetError(error, 'LIST_UNREADABLE')) throw error;
        return { file, entries: 0, bad: [], badCount: 0, unreadable: error.message };
      }
    }),
  );
}

async function inspectKeys(file: string, signal: AbortSignal | undefined): Promise<ListContent> {
  signal?.throwIfAborted();
  const list = new KeyList(file, silentLogger);
  try {
    await list.start();
    const bad = list.bad();
    return { entries: list.list().length, bad, badCount: bad.length };
  } finally {
    await list.stop();
  }
}

async function inspectRules(file: string, signal: AbortSignal | undefined): Promise<ListContent> {
  const seed = systemWorld.random.bytes(seedBytes);
  const { loaded } = await loadRules(file, { seed, signal });
  return { entries: loaded.rules.count, bad: loaded.bad, badCount: loaded.badCount };
}
