/**
 * Reads the whole store of a node that is not running, and names every contradiction in it. It
 * shares the codecs of the store, so that it follows them, and none of its bookkeeping: sums are
 * made anew from the entries, hashes from the blocks, and DAGs are walked from their roots.
 */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { type Bytes, equalBytes, toHex } from '../../../src/base/bytes.ts';
import { systemWorld } from '../../../src/base/clock.ts';
import { sha256 } from '../../../src/base/hash.ts';
import { silentLogger } from '../../../src/base/logger.ts';
import { DagWalk } from '../../../src/content/walk.ts';
import { BlockFiles } from '../../../src/store/block-files.ts';
import { BlockIndex, costOfPlace, sizeOf } from '../../../src/store/block-index.ts';
import { holdingCost, membershipCost } from '../../../src/store/costs.ts';
import { type Environment, openEnvironment } from '../../../src/store/environment.ts';
import type { StoredHolding } from '../../../src/store/holding-codec.ts';
import { HoldingTable } from '../../../src/store/holding-table.ts';
import { takeStock } from '../../../src/store/stocktaking.ts';

export interface AuditOptions {
  /** What the store was told that it may take. */
  readonly budgetBytes: number;
}

/** What may stand in a data folder whose node has ended cleanly. */
const dataNames = /^(keys|store|bootstrap\.txt|registrar-token\.txt|history)$/;
const storeNames = /^(blocks|index\.mdb|index\.mdb-lock)$/;
/** Of one kind of contradiction, so many are named. */
const shownMax = 5;

interface Opened {
  readonly index: BlockIndex;
  readonly files: BlockFiles;
  readonly holdings: ReadonlyMap<number, StoredHolding>;
}

/** Every contradiction, in words; the folder is not changed. */
export async function auditFolder(data: string, options: AuditOptions): Promise<string[]> {
  const folder = path.join(data, 'store');
  const file = path.join(folder, 'index.mdb');
  const strays = [...strayNames(data, dataNames), ...strayNames(folder, storeNames)];
  const problems = strays.map((name) => `${name} was left behind`);
  const { timers } = systemWorld;
  const environment = openEnvironment({ folder, file, timers, log: silentLogger });
  try {
    return [...problems, ...auditTables(environment, folder), ...sizeProblems(folder, options)];
  } finally {
    await environment.close();
  }
}

function strayNames(folder: string, expected: RegExp): string[] {
  return readdirSync(folder)
    .filter((name) => !expected.test(name))
    .map((name) => path.join(path.basename(folder), name));
}

function auditTables(environment: Environment, folder: string): string[] {
  const index = new BlockIndex(environment);
  const files = new BlockFiles(path.join(folder, 'blocks'));
  const table = new HoldingTable(environment);
  const holdings = new Map([...table.list()].map((holding) => [holding.number, holding])); // BOUNDED
  const opened: Opened = { index, files, holdings };
  const { lost, orphans } = takeStock(index, files);
  return [
    ...some('file of a block is missing or of another length', lost.map(toHex)),
    ...some('file belongs to no block', orphans.map(toHex)),
    ...membershipProblems(opened),
    ...totalProblems(opened),
    ...[...holdings.values()].flatMap((holding) => rootProblems(opened, table, holding)),
    ...contentProblems(opened),
  ];
}

/** At most a few of many of the same kind. */
function some(what: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  const shown = items.slice(0, shownMax).join(', ');
  return [`${items.length} × ${what}: ${shown}${items.length > shownMax ? ', …' : ''}`];
}

/** Every membership leads from a holding to a block, every block has one, sharers are counted. */
function membershipProblems({ index, holdings }: Opened): string[] {
  const sharers = new Map<string, number>(); // BOUNDED by the blocks
  const costs = new Map<number, number>(); // BOUNDED by the holdings
  const [noHolding, noBlock]: [string[], string[]] = [[], []];
  for (const { number, hash } of index.memberships()) {
    const name = toHex(hash);
    if (!holdings.has(number)) noHolding.push(`${number} of ${name}`);
    const place = index.find(hash);
    if (!place) noBlock.push(`${name} of ${number}`);
    sharers.set(name, (sharers.get(name) ?? 0) + 1);
    const cost = (place ? costOfPlace(place) : 0) + membershipCost;
    costs.set(number, (costs.get(number) ?? 0) + cost);
  }
  const [noMember, wrongSharers]: [string[], string[]] = [[], []];
  for (const { hash } of index.entries()) {
    const count = sharers.get(toHex(hash)) ?? 0;
    if (count === 0) noMember.push(toHex(hash));
    else if (index.sharersOf(hash) !== count) {
      wrongSharers.push(`${toHex(hash)} ${index.sharersOf(hash)} for ${count}`);
    }
  }
  const noShare = [...index.shared()].filter(({ hash }) => !index.has(hash));
  const costOf = (number: number): number => (costs.get(number) ?? 0) + holdingCost;
  const wrongCosts = [...holdings.values()]
    .filter(({ state, legacy }) => state !== 'going' && !legacy)
    .filter(({ number, cost }) => cost !== costOf(number))
    .map(({ number, cost }) => `holding ${number} ${cost} for ${costOf(number)}`);
  return [
    ...some('membership of a holding that is not there', noHolding),
    ...some('membership of a block that is not there', noBlock),
    ...some('block without a holding', noMember),
    ...some('count of sharers is wrong', wrongSharers),
    ...some(
      'count of sharers of a block that is not there',
      noShare.map(({ hash }) => toHex(hash)),
    ),
    ...some('cost of a holding is wrong', wrongCosts),
  ];
}

function totalProblems({ index, holdings }: Opened): string[] {
  let [blocks, bytes, cost] = [0, 0, holdings.size * holdingCost];
  for (const { place } of index.entries()) {
    blocks++;
    if (!place) continue;
    bytes += sizeOf(place);
    cost += costOfPlace(place);
  }
  cost += [...index.memberships()].length * membershipCost;
  const totals = index.totals();
  const same = totals.blocks === blocks && totals.bytes === bytes && totals.cost === cost;
  if (same) return [];
  return [`totals are ${JSON.stringify(totals)}, not ${JSON.stringify({ blocks, bytes, cost })}`];
}

/** A complete root is complete: each block below it is here and belongs to it. */
function rootProblems(
  { index, files }: Opened,
  table: HoldingTable,
  { number, root, state, legacy }: StoredHolding,
): string[] {
  if (!root || state === 'going') return [];
  const name = toHex(root.hash);
  if (table.ofRoot(root.hash)?.number !== number) return [`root ${name} is not found by its hash`];
  if (state !== 'complete') return [];
  const walk = new DagWalk({ link: root, level: 0, path: [], scope: 'all' });
  for (let link = walk.next(); link !== undefined; link = walk.next()) {
    const bytes = readBlock({ index, files }, link.hash);
    if (!bytes) return [`complete root ${name} lacks ${toHex(link.hash)}`];
    const why = walk.accept(bytes);
    if (why !== undefined) return [`complete root ${name}: ${why}`];
    if (legacy || index.isMember(number, link.hash)) continue;
    return [`complete root ${name} does not hold ${toHex(link.hash)}`];
  }
  return [];
}

function contentProblems(opened: Pick<Opened, 'index' | 'files'>): string[] {
  const wrong: string[] = [];
  for (const { hash } of opened.index.entries()) {
    const bytes = readBlock(opened, hash);
    if (bytes && !equalBytes(sha256(bytes), hash)) wrong.push(toHex(hash));
  }
  return some('block has other bytes than its hash says', wrong);
}

function readBlock(
  { index, files }: Pick<Opened, 'index' | 'files'>,
  hash: Bytes,
): Bytes | undefined {
  const place = index.find(hash);
  if (!place) return undefined;
  return place.at === 'index' ? place.bytes : files.read(hash, place.size);
}

/** As the disk sees it, the records of others and free pages of the index included. */
function sizeProblems(folder: string, { budgetBytes }: AuditOptions): string[] {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true });
  const bytes = names
    .filter((entry) => entry.isFile())
    .reduce(
      (sum, entry) => sum + statSync(path.join(entry.parentPath, entry.name)).blocks * 512,
      0,
    );
  const most = budgetBytes * 1.1;
  return bytes <= most ? [] : [`the store takes ${bytes} bytes, its budget is ${budgetBytes}`];
}
