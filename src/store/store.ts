/**
 * Everything that a node keeps on the disk besides its keys, under <data folder>/store: opened by
 * one process, closed once. This file puts the parts together and knows nothing of their formats.
 */
import path from 'node:path';
import type { World } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { PublicationJournal, RecordStore } from '../dht/ports.ts';
import { BlockFiles } from './block-files.ts';
import { BlockIndex } from './block-index.ts';
import { BlockStore } from './blocks.ts';
import { type Claim, claimFolder } from './claim.ts';
import { type Environment, openEnvironment } from './environment.ts';
import { LmdbPublicationJournal } from './journal.ts';
import { NoteStore } from './notes.ts';
import { LmdbRecordStore } from './records.ts';
import { RootStore } from './roots.ts';
import { migrate } from './schema.ts';

export interface Store extends AsyncDisposable {
  readonly records: RecordStore;
  readonly journal: PublicationJournal;
  readonly blocks: BlockStore;
  readonly roots: RootStore;
  readonly notes: NoteStore;
  /** Ends what was begun, then lets another process in. Idempotent. */
  close(): Promise<void>;
}

export interface StoreOptions {
  /** The node's data folder; made when missing. */
  readonly folder: string;
  readonly world: World;
  readonly log: Logger;
}

/**
 * Rejects with STORE_LOCKED, STORE_DAMAGED, STORE_TOO_NEW or DISK_FULL; another process that uses
 * the folder is not disturbed, and a store that cannot be opened is not changed.
 */
export async function openStore({ folder, world, log }: StoreOptions): Promise<Store> {
  const own = path.join(folder, 'store');
  const claim = claimFolder(own);
  let environment: Environment | undefined;
  try {
    const file = path.join(own, 'index.mdb');
    environment = openEnvironment({ folder: own, file, timers: world.timers, log });
    migrate(environment, { folder: own, log });
    const blocks = new BlockStore({
      environment,
      index: new BlockIndex(environment),
      files: new BlockFiles(path.join(own, 'blocks')),
      folder: own,
      log,
    });
    if (claim.afterCrash) await blocks.recover();
    return storeOf({ environment, blocks, claim });
  } catch (error) {
    await environment?.close();
    claim.release();
    throw error;
  }
}

function storeOf({
  environment,
  blocks,
  claim,
}: {
  environment: Environment;
  blocks: BlockStore;
  claim: Claim;
}): Store {
  let closing: Promise<void> | undefined;
  const closeAll = async (): Promise<void> => {
    try {
      await blocks.idle();
      await environment.close();
    } finally {
      claim.release();
    }
  };
  const close = (): Promise<void> => (closing ??= closeAll());
  return {
    records: new LmdbRecordStore(environment),
    journal: new LmdbPublicationJournal(environment),
    roots: new RootStore(environment),
    notes: new NoteStore(environment),
    blocks,
    close,
    [Symbol.asyncDispose]: close,
  };
}
