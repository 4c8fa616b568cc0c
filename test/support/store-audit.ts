/**
 * A full stocktaking of a store that is closed, or whose process was killed: reads the tables and
 * the files as docs/spec/store.md describes them, with code of its own, and says what does not fit
 * together. It changes nothing.
 */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { open } from 'lmdb';

export interface StoreAudit {
  /** What is wrong, in words; empty in a sound store. BOUNDED by problemsMax. */
  readonly problems: readonly string[];
  readonly blocks: number;
  /** Sum of the blocks' own lengths. */
  readonly bytes: number;
  /** What counts against the budget, made anew from every entry. */
  readonly cost: number;
  readonly holdings: number;
  /** Holdings whose blocks are still being removed. */
  readonly going: number;
  /** Hexadecimal roots that are complete. */
  readonly complete: readonly string[];
  /** Files that no entry names: a crash leaves some, the next start removes them. */
  readonly orphans: number;
  /** Bytes on the disk: index.mdb and the files of blocks, in pages of 4 KiB. */
  readonly diskBytes: number;
}

const problemsMax = 20;
const membershipCost = 128;
const holdingCost = 512;

interface Entry {
  readonly size: number;
  readonly inIndex: boolean;
  namers: number;
}

interface Findings {
  readonly problems: string[];
  readonly report: (problem: string) => void;
}

type Rows = readonly { readonly key: Buffer; readonly value: Buffer }[];

/** `folder` is the node's data folder. */
export async function auditStore(folder: string): Promise<StoreAudit> {
  const file = path.join(folder, 'store', 'index.mdb');
  const root = open<Buffer, Buffer>({ path: file, noSubdir: true, readOnly: true, maxDbs: 16 });
  try {
    const rows = (name: string): Rows => {
      const options = { name, encoding: 'binary', keyEncoding: 'binary' } as const;
      const table = root.openDB<Buffer, Buffer>(options) as
        | ReturnType<typeof root.openDB>
        | undefined;
      if (!table) return [];
      const all = [...table.getRange({})] as { key: Buffer; value: Buffer }[];
      return all.map(({ key, value }) => ({ key: Buffer.from(key), value: Buffer.from(value) }));
    };
    return audit(rows, path.join(folder, 'store'));
  } finally {
    await root.close();
  }
}

function audit(rows: (name: string) => Rows, folder: string): StoreAudit {
  const problems: string[] = []; // BOUNDED by problemsMax
  const report = (problem: string): void => {
    if (problems.length < problemsMax) problems.push(problem);
  };
  const findings: Findings = { problems, report };
  const entries = readEntries(rows('blocks'), findings);
  const costs = readMembers(rows('members'), entries, findings);
  const lists = readLists(rows('lists'));
  checkShares(rows('shares'), entries, findings);
  const held = readHoldings(
    { holdings: rows('holdings'), roots: rows('holding-roots') },
    { costs, lists },
    findings,
  );
  const files = checkFiles(path.join(folder, 'blocks'), entries, findings);
  const all = [...entries.values()];
  const bytes = all.reduce((sum, { size }) => sum + size, 0);
  const inline = all.filter(({ inIndex }) => inIndex).reduce((sum, one) => sum + costOf(one), 0);
  const members = all.reduce((sum, { namers }) => sum + namers, 0);
  const cost =
    all.reduce((sum, one) => sum + costOf(one), 0) +
    members * membershipCost +
    held.count * holdingCost;
  const totals = rows('meta').find(({ key }) => key.toString() === 'block-totals')?.value;
  const stored = [0, 8, 16, 24, 32].map((at) => totals?.readDoubleBE(at) ?? 0);
  const fileCost = all
    .filter(({ inIndex }) => !inIndex)
    .reduce((sum, { size }) => sum + pages(size), 0);
  const found = [all.length, bytes, cost, inline, fileCost];
  if (String(stored) !== String(found))
    report(`totals are ${String(stored)}, not ${String(found)}`);
  return {
    problems,
    blocks: all.length,
    bytes,
    cost,
    holdings: held.count,
    going: held.going,
    complete: held.complete,
    orphans: files.orphans,
    diskBytes: files.bytes + statSync(path.join(folder, 'index.mdb')).size,
  };
}

function readEntries(rows: Rows, { report }: Findings): Map<string, Entry> {
  const entries = new Map<string, Entry>(); // BOUNDED by the table
  for (const { key, value } of rows) {
    const name = key.toString('hex');
    const inIndex = value[0] === 0;
    if (!inIndex && (value[0] !== 1 || value.length !== 5))
      report(`entry of ${name} is unreadable`);
    else
      entries.set(name, {
        inIndex,
        size: inIndex ? value.length - 1 : value.readUInt32BE(1),
        namers: 0,
      });
  }
  return entries;
}

/** What each list's blocks cost, by number. */
function readMembers(
  rows: Rows,
  entries: Map<string, Entry>,
  { report }: Findings,
): Map<number, number> {
  const costs = new Map<number, number>(); // BOUNDED by the holdings
  for (const { key } of rows) {
    const number = key.readUInt32BE(0);
    const name = key.toString('hex', 4);
    const entry = entries.get(name);
    if (!entry) {
      report(`list ${number} names ${name}, which is not here`);
      continue;
    }
    entry.namers++;
    costs.set(number, (costs.get(number) ?? 0) + costOf(entry) + membershipCost);
  }
  for (const [name, { namers }] of entries) if (namers === 0) report(`nothing names ${name}`);
  return costs;
}

function checkShares(rows: Rows, entries: ReadonlyMap<string, Entry>, { report }: Findings): void {
  const shares = new Map(
    rows.map(({ key, value }) => [key.toString('hex'), value.readUInt32BE(0)]),
  );
  for (const [name, { namers }] of entries) {
    const said = shares.get(name);
    shares.delete(name);
    const isRight = namers > 1 ? said === namers : said === undefined;
    if (!isRight) report(`${namers} lists name ${name}, not ${said ?? 'one'}`);
  }
  for (const name of shares.keys()) report(`shares of ${name}, which is not here`);
}

interface List {
  readonly cost: number;
  readonly owners: readonly number[];
}

/** Lists that are no holding's own, by number. */
function readLists(rows: Rows): Map<number, List> {
  return new Map(
    rows.map(({ key, value }) => {
      const owners = Array.from({ length: (value.length - 8) / 4 }, (_, i) =>
        value.readUInt32BE(8 + 4 * i),
      );
      return [key.readUInt32BE(0), { cost: value.readDoubleBE(0), owners }];
    }),
  );
}

/** Gives back what the shared lists of each holding cost. */
function checkLists(
  holdings: Rows,
  { costs, lists }: { costs: Map<number, number>; lists: ReadonlyMap<number, List> },
  report: Findings['report'],
): Map<number, number> {
  const states = new Map(
    holdings.map(({ key, value }) => [key.readUInt32BE(0), value.readUInt8(0)]),
  );
  const shared = new Map<number, number>(); // BOUNDED by the holdings
  for (const [number, { cost, owners }] of lists) {
    const found = costs.get(number) ?? 0;
    costs.delete(number);
    if (states.has(number)) report(`list ${number} is shared, and a holding's own`);
    if (new Set(owners).size !== owners.length) report(`list ${number} has an owner twice`);
    const isGoing = owners.every((owner) => states.get(owner) === 3);
    if (found !== cost && !isGoing) report(`list ${number} costs ${found}, not ${cost}`);
    for (const owner of owners) {
      if (!states.has(owner)) report(`list ${number} is had by ${owner}, which is not here`);
      shared.set(owner, (shared.get(owner) ?? 0) + found);
    }
  }
  return shared;
}

function readHoldings(
  { holdings, roots }: { holdings: Rows; roots: Rows },
  { costs, lists }: { costs: Map<number, number>; lists: ReadonlyMap<number, List> },
  { report }: Findings,
): { count: number; going: number; complete: string[] } {
  const shared = checkLists(holdings, { costs, lists }, report);
  const rooted = new Map(
    roots.map(({ key, value }) => [key.toString('hex'), value.readUInt32BE(0)]),
  );
  const complete: string[] = [];
  let going = 0;
  for (const { key, value } of holdings) {
    const number = key.readUInt32BE(0);
    const [state, flags] = [value.readUInt8(0), value.readUInt8(3)];
    const cost = (costs.get(number) ?? 0) + (shared.get(number) ?? 0) + holdingCost;
    costs.delete(number);
    if (value.readDoubleBE(44) !== cost && state !== 3) {
      report(`holding ${number} costs ${cost}, not ${value.readDoubleBE(44)}`);
    }
    const root = (flags & 1) === 0 ? undefined : value.toString('hex', 52, 84);
    if (state === 3) going++;
    else if (root !== undefined) {
      if (rooted.get(root) !== number) report(`root ${root} does not lead to holding ${number}`);
      rooted.delete(root);
      if (state === 1) complete.push(root);
    }
  }
  for (const root of rooted.keys()) report(`root ${root} leads to no holding`);
  for (const number of costs.keys()) report(`blocks are named by list ${number}, which nobody has`);
  return { count: holdings.length, going, complete };
}

function checkFiles(
  folder: string,
  entries: ReadonlyMap<string, Entry>,
  { report }: Findings,
): { orphans: number; bytes: number } {
  const sizes = new Map<string, number>(); // BOUNDED by the files
  for (const shard of list(folder)) {
    for (const name of list(path.join(folder, shard))) {
      sizes.set(name, statSync(path.join(folder, shard, name)).size);
    }
  }
  let bytes = 0;
  for (const size of sizes.values()) bytes += pages(size);
  for (const [name, { inIndex, size }] of entries) {
    if (inIndex) continue;
    if (sizes.get(name) !== size)
      report(`file of ${name}: ${sizes.get(name) ?? 'no'} B, not ${size}`);
    sizes.delete(name);
  }
  return { orphans: sizes.size, bytes };
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function costOf({ size, inIndex }: Entry): number {
  if (!inIndex) return pages(size) + 96;
  const entry = size + 43;
  return entry <= 2036 ? Math.ceil(entry * 1.5) : pages(size + 25) + 96;
}

function pages(bytes: number): number {
  return Math.ceil(bytes / 4096) * 4096;
}
