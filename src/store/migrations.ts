/**
 * The steps from each version of the tables to the next. Each writes bytes as its version has them
 * (docs/spec/store.md) and must not use the codecs of today: it has to do the same in years, when
 * they have moved on.
 */
import type { Table } from './table.ts';
import { tableEntries } from './tables.ts';

/** Brings the tables from the version before to this one. Runs inside one transaction. */
export type Migration = (table: (name: string) => Table) => unknown;

/** Each entry makes the version that is its key. Versions start at 1, which needs no migration. */
export const migrations: ReadonlyMap<number, Migration> = new Map<number, Migration>([
  [2, nameEveryBlock],
  [3, forgetImports],
  // 4: blocks may be in packs, of which there are none yet.
  [4, (): void => undefined],
]);

/**
 * 2: blocks belong to holdings. Which DAG an old block belongs to is known once the DAGs have been
 * walked, so until then all belong to holding 1; the old roots become holdings that name nothing.
 */
function nameEveryBlock(table: (name: string) => Table): void {
  const [blocks, roots, meta] = [table('blocks'), table('roots'), table('meta')];
  const [holdings, byRoot] = [table('holdings'), table('holding-roots')];
  const members = table('members');
  let [count, bytes, cost, inline, files] = [0, 0, 0, 0, 0];
  for (const { key, value } of tableEntries(blocks)) {
    const isInline = value[0] === 0;
    const size = isInline ? value.length - 1 : value.readUInt32BE(1);
    members.putSync(Buffer.concat([uint32(1), key]), Buffer.alloc(0));
    count++;
    bytes += size;
    cost += costIn2(size, isInline) + 128;
    if (isInline) inline += costIn2(size, true);
    else files += Math.ceil(size / 4096) * 4096;
  }
  const isEmpty = count === 0;
  const all = { state: 2, kind: 0, flags: 16, cost: cost + 512 };
  if (!isEmpty) holdings.putSync(uint32(1), holdingIn2(all));
  let next = 2;
  for (const { key, value } of tableEntries(roots)) {
    if (value.length !== 26) continue;
    const [codec, own] = [value.readUInt8(0), value.readUInt8(1)];
    const [fileCount, size, addedMs] = [2, 10, 18].map((at) => value.readDoubleBE(at));
    const sizes = { files: fileCount, bytes: size, addedMs };
    const is = { state: 1, kind: own === 1 ? 0 : 2, codec, flags: 1 | 16, cost: 512, ...sizes };
    holdings.putSync(uint32(next), Buffer.concat([holdingIn2(is), key]));
    byRoot.putSync(Buffer.from(key), uint32(next));
    next++;
  }
  roots.clearSync();
  meta.removeSync(Buffer.from('block-counts'));
  meta.putSync(Buffer.from('next-holding'), uint32(next));
  const totals = [count, bytes, cost + 512 * (next - 2 + (isEmpty ? 0 : 1)), inline, files];
  meta.putSync(Buffer.from('block-totals'), Buffer.concat(totals.map(float64)));
}

/**
 * 3: holdings may share lists, of which there are none yet. What imports remember has another form:
 * folders are read once more.
 */
function forgetImports(table: (name: string) => Table): void {
  const notes = table('notes');
  const [start, end] = [Buffer.from('import/'), Buffer.from('import0')];
  const old = notes.keys({ start, end });
  for (const key of old) notes.removeSync(key);
  notes.removeSync(Buffer.from('imports'));
}

function costIn2(size: number, isInline: boolean): number {
  if (!isInline) return Math.ceil(size / 4096) * 4096 + 96;
  const entry = size + 43;
  return entry <= 2036 ? Math.ceil(entry * 1.5) : Math.ceil((size + 25) / 4096) * 4096 + 96;
}

function holdingIn2({
  state,
  kind,
  codec = 0,
  flags,
  files = 0,
  bytes = 0,
  addedMs = 0,
  cost,
}: {
  state: number;
  kind: number;
  codec?: number;
  flags: number;
  files?: number | undefined;
  bytes?: number | undefined;
  addedMs?: number | undefined;
  cost: number;
}): Buffer {
  const head = Buffer.from([state, kind, codec, flags]);
  const numbers = [files, bytes, addedMs, addedMs, 0, cost];
  return Buffer.concat([head, ...numbers.map(float64)]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function float64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
}
