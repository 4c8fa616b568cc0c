/**
 * The version of what the tables hold, and how an older version becomes the present one: step by
 * step, each in a transaction of its own. What the steps do is in `migrations`.
 */
import { AltNetError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Environment, Table } from './environment.ts';
import { type Migration, migrations } from './migrations.ts';

/** Version 3: tables as in docs/spec/store.md. */
export const schemaVersion = 3;

const versionKey = Buffer.from('schema-version');
export const metaTableName = 'meta';

/** Throws STORE_TOO_NEW or STORE_DAMAGED; nothing is changed then. */
export function migrate(
  environment: Environment,
  {
    folder,
    log,
    to = schemaVersion,
    steps = migrations,
  }: { folder: string; log: Logger; to?: number; steps?: ReadonlyMap<number, Migration> },
): void {
  const meta = environment.table(metaTableName);
  const stored = meta.get(versionKey);
  if (stored !== undefined && stored.length !== 4) {
    throw new AltNetError('STORE_DAMAGED', { folder, why: 'bad schema version' });
  }
  const have = stored?.readUInt32BE(0);
  if (have !== undefined && have > to) {
    throw new AltNetError('STORE_TOO_NEW', { folder, have, want: to });
  }
  if (have === to) return;
  if (have !== undefined) log.info('bringing the store to a newer format', { have, to });
  // Tables cannot be opened inside the transaction, so each is opened when it is first asked for.
  for (let version = (have ?? to) + 1; version <= to; version++) {
    const step = steps.get(version);
    if (!step) throw new AltNetError('INTERNAL', { what: `no migration to ${version}` });
    const tables = new Map<string, Table>(); // BOUNDED by the tables of one migration
    const table = (name: string): Table => {
      const known = tables.get(name) ?? environment.table(name);
      tables.set(name, known);
      return known;
    };
    environment.commitSync(() => {
      step(table);
      meta.putSync(versionKey, encodeVersion(version));
    });
  }
  if (have === undefined) {
    environment.commitSync(() => {
      meta.putSync(versionKey, encodeVersion(to));
    });
  }
}

function encodeVersion(version: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(version);
  return bytes;
}
