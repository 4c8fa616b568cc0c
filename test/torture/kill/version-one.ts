/**
 * Turns the store of a node that is not running into one of the first version: blocks that belong
 * to nobody, and a table of roots. Written from the description of that version, not with the
 * codecs of today, as the migration is.
 */
import path from 'node:path';
import { systemWorld } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/logger.ts';
import { BlockIndex } from '../../../src/store/block-index.ts';
import { openEnvironment } from '../../../src/store/environment.ts';
import { HoldingTable } from '../../../src/store/holding-table.ts';

const codecs = ['dag-pb', 'raw'] as const;
/** What the first version does not have. */
const laterTables = ['holdings', 'holding-roots', 'members', 'shares'] as const;
const laterKeys = ['block-totals', 'next-holding'] as const;

export async function makeVersionOne(data: string): Promise<void> {
  const folder = path.join(data, 'store');
  const file = path.join(folder, 'index.mdb');
  const { timers } = systemWorld;
  const environment = openEnvironment({ folder, file, timers, log: silentLogger });
  const table = environment.table.bind(environment);
  const { blocks, bytes } = new BlockIndex(environment).totals();
  const roots = [...new HoldingTable(environment).list()].flatMap((holding) => {
    const { root, state, kind, files, bytes: size, addedMs } = holding;
    if (!root || state !== 'complete') return [];
    const value = Buffer.from([codecs.indexOf(root.codec), kind === 'own' ? 1 : 0]);
    return [
      { key: root.hash, value: Buffer.concat([value, ...[files, size, addedMs].map(float64)]) },
    ];
  });
  const [meta, rootTable] = [table('meta'), table('roots')];
  const later = laterTables.map(table);
  environment.commitSync(() => {
    for (const one of later) one.clearSync();
    for (const key of laterKeys) meta.removeSync(Buffer.from(key));
    for (const { key, value } of roots) rootTable.putSync(Buffer.from(key), value);
    meta.putSync(Buffer.from('block-counts'), Buffer.concat([blocks, bytes].map(float64)));
    meta.putSync(Buffer.from('schema-version'), Buffer.from([0, 0, 0, 1]));
  });
  await environment.close();
}

function float64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
}
