/**
 * The version of what the tables hold, and how an older version becomes the present one: step by
 * step, each in a transaction of its own. What the steps do is in `migrations`.
 */
import { AltNetError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Environment } from './environment.ts';
import { type Migration, migrations } from './migrations.ts';

/** Version 4: tables as in docs/spec/store.md. */
export const schemaVersion = 4;

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
  // A table is opened when a step first asks for it: those of old versions are mostly not there.
  for (let version = (have ?? to) + 1; version <= to; version++) {
    const step = steps.get(version);
    if (!step) throw new AltNetError('INTERNAL', { what: `no migration to ${version}` });
    environment.commitSync(() => {
      step((name) => environment.table(name));
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
