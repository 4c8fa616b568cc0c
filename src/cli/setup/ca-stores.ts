/**
 * Every store that is told to trust the authority of this installation: that of the system, and the
 * databases of this user's browsers. Adds and removes; what is told of it is another's.
 */
import path from 'node:path';
import type { Abortable } from '../../base/abort.ts';
import { applyPlan, type Change, inspectChange, undoChange } from './apply.ts';
import { readTrustJournal, type TrustJournal, writeTrustJournal } from './ca-journal.ts';
import {
  findSystemStore,
  isTrustedBySystem,
  planSystemStore,
  systemStoreCommandsOf,
} from './ca-system-store.ts';
import type { AuthorityText } from './ca-text.ts';
import {
  certutilAdvice,
  databaseFiles,
  distrust,
  findDatabases,
  hasCertutil,
  isEmpty,
  isTrustedBy,
  type NssDatabase,
  trust,
  unreadable,
} from './nss.ts';
import { systemJournal, userJournal } from './places.ts';
import type { System } from './system.ts';

export interface StoreOutcome {
  /** "system (debian)", or the folder of a database. */
  readonly store: string;
  /**
   * added, removed: by this run. trusted, untrusted: it was so before. waiting: root has to do it.
   * failed: see why.
   */
  readonly state: 'added' | 'removed' | 'trusted' | 'untrusted' | 'waiting' | 'failed';
  readonly why?: string;
}

export interface StoreWork extends Abortable {
  readonly system: System;
  readonly data: string;
}

function systemChange({ system, signal }: StoreWork): Change {
  return {
    system,
    journal: systemJournal('ca'),
    commandsOf: systemStoreCommandsOf,
    signal,
  };
}

/** Whether the stores of this user are this run's: with sudo they would get files of root. */
export function hasUserStores(system: System): boolean {
  return system.platform === 'linux' && system.sudoUser === undefined;
}

/** What each store says, changing nothing. */
export async function inspectStores(
  work: StoreWork,
  authority: AuthorityText,
): Promise<readonly StoreOutcome[]> {
  const { system, signal } = work;
  const outcomes: StoreOutcome[] = []; // BOUNDED by the stores
  const store = await findSystemStore(system);
  if (store) {
    const isTrusted = await isTrustedBySystem(system, store, authority);
    outcomes.push({ store: storeName(store), state: isTrusted ? 'trusted' : 'untrusted' });
  }
  if (!hasUserStores(system) || !(await hasCertutil(system, { signal }))) return outcomes;
  for (const database of await findDatabases(system)) {
    const isTrusted = await isTrustedBy(system, database, { authority, signal });
    outcomes.push({ store: database.folder, state: isTrusted ? 'trusted' : 'untrusted' });
  }
  return outcomes;
}

export async function addToSystem(
  work: StoreWork,
  authority: AuthorityText,
): Promise<readonly StoreOutcome[]> {
  const { system } = work;
  const store = await findSystemStore(system);
  if (!store) return [];
  const isTrusted = await isTrustedBySystem(system, store, authority);
  if (!system.isRoot) {
    return [{ store: storeName(store), state: isTrusted ? 'trusted' : 'waiting' }];
  }
  const isChanged = await applyPlan(planSystemStore(store, authority), systemChange(work));
  return [{ store: storeName(store), state: isChanged ? 'added' : 'trusted' }];
}

export async function removeFromSystem(work: StoreWork): Promise<readonly StoreOutcome[]> {
  const { system } = work;
  const change = systemChange(work);
  const { state, variant = '' } = await inspectChange(system, change.journal);
  if (state === 'none') return [];
  const store = storeName({ variant });
  if (!system.isRoot) return [{ store, state: 'waiting' }];
  await undoChange(change);
  return [{ store, state: 'removed' }];
}

function storeName({ variant }: { readonly variant: string }): string {
  return `system (${variant})`;
}

export async function addToUser(
  work: StoreWork,
  authority: AuthorityText,
): Promise<readonly StoreOutcome[]> {
  const { system, data, signal } = work;
  if (!(await hasCertutil(system, { signal }))) {
    return (await findDatabases(system)).map(({ folder }) => failed(folder, certutilAdvice));
  }
  const at = userJournal(data, 'ca');
  const earlier = await readTrustJournal(system, at);
  // Of an authority that was replaced nothing is to stay trusted.
  if (earlier && earlier.fingerprint !== authority.fingerprint) await removeFromUser(work);
  const databases = await findDatabases(system);
  const known = earlier?.fingerprint === authority.fingerprint ? earlier.databases : [];
  await system.makeFolder(data); // what a node would have made, closed to others
  await writeTrustJournal(system, at, journalOf(authority, { databases, known }));
  const outcomes: StoreOutcome[] = []; // BOUNDED by the databases
  for (const database of databases) {
    const { folder } = database;
    if (await isTrustedBy(system, database, { authority, signal })) {
      outcomes.push({ store: folder, state: 'trusted' });
      continue;
    }
    const why = await trust(system, database, { authority, signal });
    outcomes.push(why === undefined ? { store: folder, state: 'added' } : failed(folder, why));
  }
  return outcomes;
}

function journalOf(
  { name, fingerprint }: AuthorityText,
  { databases, known }: { databases: readonly NssDatabase[]; known: TrustJournal['databases'] },
): TrustJournal {
  const added = databases
    .filter(({ folder }) => !known.some((each) => each.folder === folder))
    .map(({ folder, program, isThere }) => ({ folder, program, isMade: !isThere }));
  return { name, fingerprint, databases: [...known, ...added] };
}

/** `authority`: the one that is there now, whose journal may be lost. */
export async function removeFromUser(
  work: StoreWork,
  authority?: AuthorityText,
): Promise<readonly StoreOutcome[]> {
  const { system, data, signal } = work;
  const at = userJournal(data, 'ca');
  const journal = await readTrustJournal(system, at);
  const removed = journal ?? authority;
  if (!removed) return [];
  const made = new Set(
    (journal?.databases ?? []).flatMap((each) => (each.isMade ? each.folder : [])),
  );
  const outcomes: StoreOutcome[] = []; // BOUNDED by the databases
  for (const database of await databasesOf(system, journal)) {
    const { folder } = database;
    if (!(await isTrustedBy(system, database, { authority: removed, signal }))) {
      // One that was told to trust it, and cannot be asked, may well do so still.
      const wasTold = journal?.databases.some((each) => each.folder === folder) === true;
      const why = wasTold ? await unreadable(system, database, { signal }) : undefined;
      if (why !== undefined) outcomes.push(failed(folder, why));
      continue;
    }
    const why = await distrust(system, database, { authority: removed, signal });
    outcomes.push(why === undefined ? { store: folder, state: 'removed' } : failed(folder, why));
    if (made.has(folder)) await removeEmpty(system, { database, signal });
  }
  if (!outcomes.some(({ state }) => state === 'failed')) await system.remove(at);
  return outcomes;
}

/** Those that are there, and those that were told, wherever they are now. */
async function databasesOf(
  system: System,
  journal: TrustJournal | undefined,
): Promise<readonly NssDatabase[]> {
  const found = await findDatabases(system);
  const rest = (journal?.databases ?? []).filter(
    ({ folder }) => !found.some((each) => each.folder === folder),
  );
  return [...found, ...rest.map((each) => ({ ...each, isThere: true }))];
}

async function removeEmpty(
  system: System,
  { database, signal }: Abortable & { database: NssDatabase },
): Promise<void> {
  if (!(await isEmpty(system, database, { signal }))) return;
  for (const name of databaseFiles) await system.remove(path.join(database.folder, name));
  await system.removeFolders(database.folder, path.dirname(database.folder));
}

function failed(store: string, why: string): StoreOutcome {
  return { store, state: 'failed', why };
}
