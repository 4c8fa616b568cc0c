/**
 * Everything that a node keeps on the disk besides its keys, under <data folder>/store: opened by
 * one process, closed once. This file puts the parts together and knows nothing of their formats.
 */
import path from 'node:path';
import type { World } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { HeldRoot, Holdings, Verifier } from '../content/ports.ts';
import type { PublicationJournal, RecordStore } from '../dht/ports.ts';
import { BlockFiles } from './block-files.ts';
import { BlockIndex } from './block-index.ts';
import { type BlockShelves, BlockStore } from './blocks.ts';
import { Book } from './book.ts';
import { type Claim, claimFolder } from './claim.ts';
import { DiskThread } from './disk-thread.ts';
import { type Environment, openEnvironment } from './environment.ts';
import type { HoldingsCounted } from './holding-counts.ts';
import { HoldingTable } from './holding-table.ts';
import { HoldingStore } from './holdings.ts';
import { LmdbPublicationJournal } from './journal.ts';
import { NoteStore } from './notes.ts';
import { LmdbRecordStore } from './records.ts';
import { PackFiles } from './pack-files.ts';
import { packLimitsOf } from './pack-layout.ts';
import { PackTable } from './pack-table.ts';
import { migrate } from './schema.ts';
import { SharedLists } from './shared-lists.ts';
import { takeStock } from './stocktaking.ts';

/** Roots from a store of version 1: which blocks are theirs is known once they were walked. */
export interface UnnamedRoots {
  list(): readonly HeldRoot[];
  /** All of them have been opened, adopted and completed, or cannot be. */
  finish(): Promise<void>;
}

export interface Store extends AsyncDisposable {
  readonly records: RecordStore;
  readonly journal: PublicationJournal;
  readonly blocks: BlockStore;
  readonly holdings: Holdings;
  /** Holdings that went to make room, since the start. */
  evicted(): number;
  /** How many roots are held, by why; cheap. */
  counted(): HoldingsCounted;
  readonly unnamed: UnnamedRoots;
  /** Beside the main thread, and only while much is to be verified. */
  readonly verifier: Verifier;
  readonly notes: NoteStore;
  /** What never makes room for anything else, such as own sites; may be more than the budget. */
  pinnedBytes(): number;
  /** Ends what was begun, then lets another process in. Idempotent. */
  close(): Promise<void>;
}

export interface StoreOptions {
  /** The node's data folder; made when missing. */
  readonly folder: string;
  readonly world: World;
  readonly log: Logger;
  /** What blocks may cost on the disk, and replicas for one peer; no limit when left out. */
  readonly budgetBytes?: number | undefined;
  readonly perPeerBudgetBytes?: number | undefined;
}

/** The parts that change blocks, and what they share. */
interface BlockParts {
  readonly shelves: BlockShelves;
  readonly packs: PackTable;
  readonly blocks: BlockStore;
  readonly holdings: HoldingStore;
  readonly thread: DiskThread;
}

/**
 * Rejects with STORE_LOCKED, STORE_DAMAGED, STORE_TOO_NEW or DISK_FULL; another process that uses
 * the folder is not disturbed, and a store that cannot be opened is not changed.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { world, log } = options;
  const folder = path.join(options.folder, 'store');
  const claim = claimFolder(folder);
  let environment: Environment | undefined;
  try {
    const file = path.join(folder, 'index.mdb');
    environment = openEnvironment({ folder, file, timers: world.timers, log });
    migrate(environment, { folder, log });
    // All tables are opened before anything is written beside this thread.
    const tables = plainTables(environment);
    const parts = blockParts(environment, { ...options, folder });
    if (claim.afterCrash) await recover(parts, log);
    await parts.holdings.begin();
    return storeOf({ environment, tables, parts, claim });
  } catch (error) {
    await environment?.close();
    claim.release();
    throw error;
  }
}

/** What is kept besides blocks and holdings. */
type PlainTables = Pick<Store, 'records' | 'journal' | 'notes'>;

function plainTables(environment: Environment): PlainTables {
  return {
    records: new LmdbRecordStore(environment),
    journal: new LmdbPublicationJournal(environment),
    notes: new NoteStore(environment),
  };
}

function blockParts(
  environment: Environment,
  { folder, world, log, budgetBytes, perPeerBudgetBytes }: StoreOptions,
): BlockParts {
  const index = new BlockIndex(environment);
  const thread = new DiskThread({ timers: world.timers, log });
  const files = new BlockFiles(path.join(folder, 'blocks'));
  const packFiles = new PackFiles(path.join(folder, 'packs'), thread);
  const shelves = { index, files, packFiles };
  const table = new HoldingTable(environment);
  const lists = new SharedLists(environment);
  const packs = new PackTable(environment);
  const bytesMax = budgetBytes ?? Number.MAX_SAFE_INTEGER;
  const budget = { bytesMax, perPeerBytesMax: perPeerBudgetBytes ?? bytesMax };
  const book = new Book({ environment, index, table, lists, packs, budget });
  const tables = { environment, book, table, lists, packs, packLimits: packLimitsOf(bytesMax) };
  const shared = { ...tables, ...shelves, folder, world, log };
  const holdings = new HoldingStore(shared);
  const onLost = (hash: Uint8Array): Promise<void> => holdings.forget([hash]);
  const blocks = new BlockStore({ book, shelves, log, onLost });
  return { shelves, packs, holdings, thread, blocks };
}

/** After a crash: drops files without entry and entries without file. */
async function recover({ shelves, packs, holdings }: BlockParts, log: Logger): Promise<void> {
  const { lost, orphans, orphanPacks } = takeStock({ ...shelves, packs });
  // Before anything is written: what comes next may be given the number of an orphan.
  await shelves.packFiles.removeAll(orphanPacks);
  await shelves.files.removeAll(orphans);
  await holdings.forget(lost);
  const { blocks } = shelves.index.totals();
  const found = { blocks, lost: lost.length, orphans: orphans.length + orphanPacks.length };
  log.info('checked the blocks after a crash', found);
}

function storeOf({
  environment,
  tables,
  parts: { blocks, holdings, thread, shelves },
  claim,
}: {
  environment: Environment;
  tables: PlainTables;
  parts: BlockParts;
  claim: Claim;
}): Store {
  let closing: Promise<void> | undefined;
  const closeAll = async (): Promise<void> => {
    try {
      await holdings.stop();
      await environment.close();
    } finally {
      await thread.stop();
      shelves.packFiles.close();
      claim.release();
    }
  };
  const close = (): Promise<void> => (closing ??= closeAll());
  return {
    ...tables,
    holdings,
    verifier: thread,
    evicted: () => holdings.evicted,
    counted: () => holdings.counted(),
    pinnedBytes: () => holdings.pinnedBytes(),
    unnamed: { list: () => holdings.unnamedRoots(), finish: () => holdings.finishNaming() },
    blocks,
    close,
    [Symbol.asyncDispose]: close,
  };
}
