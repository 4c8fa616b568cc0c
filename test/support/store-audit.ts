/**
 * A full stocktaking of a store that is closed, or whose process was killed: reads the tables and
 * the files as docs/spec/store.md describes them, with code of its own, and says what does not fit
 * together. It changes nothing.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
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
  /** Packs that would take half of their pages if what is dead in them were left out. */
  readonly halfEmpty: number;
  /** Bytes on the disk: index.mdb and the files of blocks, in pages of 4 KiB. */
  readonly diskBytes: number;
}

const problemsMax = 20;
const membershipCost = 128;
const holdingCost = 512;

interface Entry {
  readonly size: number;
  /** In its entry, in a file of its own, or in a pack. */
  readonly at: 'index' | 'file' | 'pack';
  readonly pack: number;
  readonly offset: number;
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
  const packs = checkPacks(path.join(folder, 'packs'), { rows: rows('packs'), entries }, findings);
  const all = [...entries.values()];
  const bytes = all.reduce((sum, { size }) => sum + size, 0);
  const inline = all.filter(({ at }) => at === 'index').reduce((sum, one) => sum + costOf(one), 0);
  const members = all.reduce((sum, { namers }) => sum + namers, 0);
  const cost =
    all.reduce((sum, one) => sum + costOf(one), 0) +
    packs.overhead +
    members * membershipCost +
    held.count * holdingCost;
  const totals = rows('meta').find(({ key }) => key.toString() === 'block-totals')?.value;
  const stored = [0, 8, 16, 24, 32].map((at) => totals?.readDoubleBE(at) ?? 0);
  const fileCost = all.reduce((sum, { at, size }) => {
    if (at === 'index') return sum;
    return sum + (at === 'file' ? pages(size) : Math.max(0, 4096 - 40 - size));
  }, packs.countedBytes);
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
    orphans: files.orphans + packs.orphans,
    halfEmpty: packs.halfEmpty,
    diskBytes: files.bytes + packs.bytes + statSync(path.join(folder, 'index.mdb')).size,
  };
}

function readEntries(rows: Rows, { report }: Findings): Map<string, Entry> {
  const entries = new Map<string, Entry>(); // BOUNDED by the table
  for (const { key, value } of rows) {
    const name = key.toString('hex');
    const entry = readEntry(value);
    if (entry) entries.set(name, entry);
    else report(`entry of ${name} is unreadable`);
  }
  return entries;
}

function readEntry(value: Buffer): Entry | undefined {
  const none = { pack: 0, offset: 0, namers: 0 };
  if (value[0] === 0) return { ...none, at: 'index', size: value.length - 1 };
  if (value[0] === 1 && value.length === 5) {
    return { ...none, at: 'file', size: value.readUInt32BE(1) };
  }
  if (value[0] !== 2 || value.length !== 13) return undefined;
  const [pack, offset, size] = [1, 5, 9].map((at) => value.readUInt32BE(at));
  return { at: 'pack', pack: pack ?? 0, offset: offset ?? 0, size: size ?? 0, namers: 0 };
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
  for (const [name, { at, size }] of entries) {
    if (at !== 'file') continue;
    if (sizes.get(name) !== size)
      report(`file of ${name}: ${sizes.get(name) ?? 'no'} B, not ${size}`);
    sizes.delete(name);
  }
  return { orphans: sizes.size, bytes };
}

interface PacksFound {
  readonly orphans: number;
  readonly halfEmpty: number;
  /** Of all files, and of those that the table names. */
  readonly bytes: number;
  readonly countedBytes: number;
  /** What they cost beyond the blocks in them. */
  readonly overhead: number;
}

/** Each pack by itself: its file and its head, and what the entries say of it together. */
function checkPacks(
  folder: string,
  { rows, entries }: { rows: Rows; entries: ReadonlyMap<string, Entry> },
  { report }: Findings,
): PacksFound {
  const sizes = new Map(list(folder).map((name) => [name, statSync(path.join(folder, name)).size]));
  const bytes = [...sizes.values()].reduce((sum, size) => sum + pages(size), 0);
  const living = new Map<number, Map<string, Entry>>(); // BOUNDED by the entries
  for (const [name, entry] of entries) {
    if (entry.at !== 'pack') continue;
    const inPack = living.get(entry.pack) ?? new Map<string, Entry>();
    living.set(entry.pack, inPack.set(name, entry));
  }
  let [countedBytes, overhead, halfEmpty] = [0, 0, 0];
  for (const { key, value } of rows) {
    const number = key.readUInt32BE(0);
    const [fileBytes = 0, ...counts] = [0, 4, 8].map((at) => value.readUInt32BE(at));
    const inPack = living.get(number) ?? new Map<string, Entry>();
    living.delete(number);
    const liveBytes = [...inPack.values()].reduce((sum, { size }) => sum + size, 0);
    if (String(counts) !== String([inPack.size, liveBytes]) || inPack.size === 0) {
      report(`of pack ${number} live ${inPack.size} of ${liveBytes} B, not ${String(counts)}`);
    }
    countedBytes += pages(fileBytes);
    overhead += pages(fileBytes) + 64 - liveBytes - 40 * inPack.size;
    if (2 * pages(8 + 40 * inPack.size + liveBytes) <= pages(fileBytes)) halfEmpty++;
    const name = number.toString(16).padStart(8, '0');
    if (sizes.get(name) !== fileBytes) {
      report(`pack ${name}: ${sizes.get(name) ?? 'no'} B, not ${fileBytes}`);
    } else {
      checkHead(path.join(folder, name), inPack, report);
    }
    sizes.delete(name);
  }
  for (const number of living.keys()) report(`pack ${number} is not in the table`);
  return { orphans: sizes.size, halfEmpty, bytes, countedBytes, overhead };
}

/** The head of a pack names every block that lives in it, where the entry has it. */
function checkHead(
  file: string,
  living: ReadonlyMap<string, Entry>,
  report: Findings['report'],
): void {
  const pack = readFileSync(file);
  const lines = new Set<string>(); // BOUNDED by the head
  const count = pack.toString('latin1', 0, 4) === 'ANPK' ? pack.readUInt32BE(4) : 0;
  for (let at = 8; at < 8 + 40 * count; at += 40) {
    lines.add(`${pack.toString('hex', at, at + 32)} ${pack.readUInt32BE(at + 32)}`);
  }
  for (const [name, { offset, size }] of living) {
    const isThere = lines.has(`${name} ${offset}`) && offset + size <= pack.length;
    if (!isThere) report(`the head of ${path.basename(file)} does not name ${name}`);
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function costOf({ size, at }: Entry): number {
  if (at === 'pack') return Math.max(size + 40, 4096) + 96;
  if (at === 'file') return pages(size) + 96;
  const entry = size + 43;
  return entry <= 2036 ? Math.ceil(entry * 1.5) : pages(size + 25) + 96;
}

function pages(bytes: number): number {
  return Math.ceil(bytes / 4096) * 4096;
}
