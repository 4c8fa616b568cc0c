/**
 * What can be said of a store without opening it: who uses it, how the last user ended, what its
 * database takes and whether it is whole. It changes nothing.
 */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { systemCode } from '../base/errors.ts';
import { inspectClaims } from '../store/claim.ts';
import { type Inspection, inspectDatabaseFile } from '../store/database-file.ts';

export interface StoreInspection {
  /** Absolute. */
  readonly folder: string;
  /** The process that uses it. */
  readonly usedBy: number | undefined;
  /** The last one ended without closing it. */
  readonly afterCrash: boolean;
  readonly databaseBytes: number;
  /** Undefined while somebody writes it. */
  readonly database: Inspection | undefined;
}

/** Undefined when there is none. Rejects with what the file system says. */
export async function inspectStore(dataFolder: string): Promise<StoreInspection | undefined> {
  const folder = path.join(dataFolder, 'store');
  const file = path.join(folder, 'index.mdb');
  const databaseBytes = await sizeOf(file);
  if (databaseBytes === undefined) return undefined;
  const { living: usedBy, afterCrash } = inspectClaims(folder);
  const database = usedBy === undefined ? inspectDatabaseFile(file) : undefined;
  return { folder, usedBy, afterCrash, databaseBytes, database };
}

async function sizeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    // ENOTDIR: where the folder should be there is a file, and so no store.
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}
