/**
 * Reads everything that a node which is not running has on the disk, and names what contradicts
 * itself. The books are checked by `test/support/store-audit.ts`; here every block is hashed, every
 * complete DAG walked, and the folders are looked through for what was left behind.
 */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { type Bytes, equalBytes, toHex } from '../../../src/base/bytes.ts';
import { systemWorld } from '../../../src/base/clock.ts';
import { sha256 } from '../../../src/base/hash.ts';
import { silentLogger } from '../../../src/base/logger.ts';
import { DagWalk } from '../../../src/content/dag/walk.ts';
import { BlockFiles } from '../../../src/store/block-files.ts';
import { BlockIndex } from '../../../src/store/block-index.ts';
import { type BlockShelves, readBlock } from '../../../src/store/blocks.ts';
import { openEnvironment } from '../../../src/store/environment.ts';
import type { StoredHolding } from '../../../src/store/holding-codec.ts';
import { HoldingTable } from '../../../src/store/holding-table.ts';
import { PackFiles } from '../../../src/store/pack-files.ts';
import { SharedLists } from '../../../src/store/shared-lists.ts';
import { auditStore } from '../../support/store-audit.ts';

export interface AuditOptions {
  /** What the store was told that it may take. */
  readonly budgetBytes: number;
}

/** What may stand in the folders of a node that has ended cleanly. */
const dataNames = /^(keys|store|bootstrap\.txt|registrar-token\.txt|history)$/;
const storeNames = /^(blocks|packs|index\.mdb|index\.mdb-lock)$/;
/** Of one kind of contradiction, so many are named. */
const shownMax = 5;

interface Opened extends BlockShelves {
  readonly table: HoldingTable;
  readonly lists: SharedLists;
}

/** Every contradiction, in words; the folder is not changed. */
export async function auditFolder(data: string, options: AuditOptions): Promise<string[]> {
  const folder = path.join(data, 'store');
  const strays = [...strayNames(data, dataNames), ...strayNames(folder, storeNames)];
  const { problems, orphans } = await auditStore(data);
  return [
    ...some('file was left behind', strays),
    ...problems,
    ...(orphans > 0 ? [`${orphans} × file belongs to no block`] : []),
    ...(await contentProblems(folder)),
    ...sizeProblems(folder, options),
  ];
}

function strayNames(folder: string, expected: RegExp): string[] {
  return readdirSync(folder)
    .filter((name) => !expected.test(name))
    .map((name) => path.join(path.basename(folder), name));
}

/** At most a few of many of the same kind. */
function some(what: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  const shown = items.slice(0, shownMax).join(', ');
  return [`${items.length} × ${what}: ${shown}${items.length > shownMax ? ', …' : ''}`];
}

async function contentProblems(folder: string): Promise<string[]> {
  const file = path.join(folder, 'index.mdb');
  const { timers } = systemWorld;
  const environment = openEnvironment({ folder, file, timers, log: silentLogger });
  const packFiles = new PackFiles(path.join(folder, 'packs'));
  try {
    const opened: Opened = {
      index: new BlockIndex(environment),
      files: new BlockFiles(path.join(folder, 'blocks')),
      packFiles,
      table: new HoldingTable(environment),
      lists: new SharedLists(environment),
    };
    const wrong = [...opened.index.entries()]
      .filter(({ hash }) => !isSound(opened, hash))
      .map(({ hash }) => toHex(hash));
    return [
      ...some('block has other bytes than its hash says', wrong),
      ...[...opened.table.list()].flatMap((holding) => rootProblem(opened, holding) ?? []),
    ];
  } finally {
    packFiles.close();
    await environment.close();
  }
}

/** A block whose file is missing is for others to tell. */
function isSound(opened: Opened, hash: Bytes): boolean {
  const bytes = readBlock(opened, hash);
  return bytes === undefined || bytes === 'lost' || equalBytes(sha256(bytes), hash);
}

/** A complete root is complete: each block below it is here and belongs to it. */
function rootProblem(opened: Opened, { number, root, state }: StoredHolding): string | undefined {
  if (!root || state !== 'complete') return undefined;
  const name = `complete root ${toHex(root.hash)}`;
  const lists = opened.lists.numbersOf(number);
  const walk = new DagWalk({ link: root, level: 0, path: [], scope: 'all' });
  for (let link = walk.next(); link !== undefined; link = walk.next()) {
    const bytes = readBlock(opened, link.hash);
    if (bytes === undefined || bytes === 'lost') return `${name} lacks ${toHex(link.hash)}`;
    const why = walk.accept(bytes);
    if (why !== undefined) return `${name}: ${why}`;
    const isNamed = lists.some((list) => opened.index.isMember(list, link.hash));
    if (!isNamed) return `${name} lets go ${toHex(link.hash)}`;
  }
  return undefined;
}

/** As the disk sees it, the records of others and free pages of the index included. */
function sizeProblems(folder: string, { budgetBytes }: AuditOptions): string[] {
  const bytes = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(path.join(entry.parentPath, entry.name)).blocks * 512)
    .reduce((sum, size) => sum + size, 0);
  const most = budgetBytes * 1.1;
  return bytes <= most ? [] : [`the store takes ${bytes} bytes, its budget is ${budgetBytes}`];
}
