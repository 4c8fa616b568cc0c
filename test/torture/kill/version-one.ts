/**
 * Turns the store of a node that is not running into one of the first version: blocks that belong
 * to nobody and have files of their own where they are large, and a table of roots. Written from the description of that version, not with the
 * codecs of today, as the migration is.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Bytes, toHex } from '../../../src/base/bytes.ts';
import { systemWorld } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/logger.ts';
import { BlockIndex } from '../../../src/store/block-index.ts';
import { openEnvironment } from '../../../src/store/environment.ts';
import { HoldingTable } from '../../../src/store/holding-table.ts';
import { PackFiles } from '../../../src/store/pack-files.ts';

const codecs = ['dag-pb', 'raw'] as const;
/** What the first version does not have. */
const laterTables = ['holdings', 'holding-roots', 'members', 'shares', 'packs'] as const;
const laterKeys = ['block-totals', 'next-holding', 'next-pack'] as const;

export async function makeVersionOne(data: string): Promise<void> {
  const folder = path.join(data, 'store');
  const file = path.join(folder, 'index.mdb');
  const { timers } = systemWorld;
  const environment = openEnvironment({ folder, file, timers, log: silentLogger });
  const table = environment.table.bind(environment);
  const index = new BlockIndex(environment);
  const { blocks, bytes } = index.totals();
  const roots = [...new HoldingTable(environment).list()].flatMap((holding) => {
    const { root, state, kind, files, bytes: size, addedMs } = holding;
    if (!root || state !== 'complete') return [];
    const value = Buffer.from([codecs.indexOf(root.codec), kind === 'own' ? 1 : 0]);
    return [
      { key: root.hash, value: Buffer.concat([value, ...[files, size, addedMs].map(float64)]) },
    ];
  });
  const [meta, rootTable, blockTable] = [table('meta'), table('roots'), table('blocks')];
  const unpacked = unpack(index, folder);
  const later = laterTables.map(table);
  environment.commitSync(() => {
    for (const one of later) one.clearSync();
    for (const key of laterKeys) meta.removeSync(Buffer.from(key));
    for (const { key, value } of unpacked) blockTable.putSync(key, value);
    for (const { key, value } of roots) rootTable.putSync(Buffer.from(key), value);
    meta.putSync(Buffer.from('block-counts'), Buffer.concat([blocks, bytes].map(float64)));
    meta.putSync(Buffer.from('schema-version'), Buffer.from([0, 0, 0, 1]));
  });
  await environment.close();
  rmSync(path.join(folder, 'packs'), { recursive: true, force: true });
}

/** Gives each block that is in a pack a file, and back the entries that say so. */
function unpack(index: BlockIndex, folder: string): { key: Bytes; value: Bytes }[] {
  const packs = new PackFiles(path.join(folder, 'packs'));
  const entries: { key: Bytes; value: Bytes }[] = []; // BOUNDED by the store
  for (const { hash, place } of index.entries()) {
    const bytes = place?.at === 'pack' && packs.read(place);
    if (!bytes) continue;
    const name = toHex(hash);
    const shard = path.join(folder, 'blocks', name.slice(0, 2));
    mkdirSync(shard, { recursive: true });
    writeFileSync(path.join(shard, name), bytes);
    const value = Buffer.alloc(5, 1);
    value.writeUInt32BE(bytes.length, 1);
    entries.push({ key: hash, value });
  }
  packs.close();
  return entries;
}

function float64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
}
