import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { systemWorld } from '../base/clock.ts';
import { isAltNetError } from '../base/errors.ts';
import { silentLogger } from '../base/logger.ts';
import { type Environment, openEnvironment } from './environment.ts';
import type { Table } from './table.ts';

const key = Buffer.alloc(32, 1);
const value = Buffer.alloc(1000, 2);

function opened(folder: string): Environment {
  const file = path.join(folder, 'index.mdb');
  return openEnvironment({ folder, file, timers: systemWorld.timers, log: silentLogger });
}

const reads: Readonly<Record<string, (table: Table, environment: Environment) => unknown>> = {
  'a value': (table) => table.get(key),
  'a value without a copy': (table) => table.peek(key),
  'whether there is one': (table) => table.has(key),
  keys: (table) => table.keys({ limit: 3 }),
  entries: (table) => table.entries({ start: key, limit: 3 }),
  'what a table takes': (table) => table.stats(),
  'what all take': (_, environment) => environment.blockPagesBytes(),
  'a table': (_, environment) => environment.table('another'),
};

for (const [what, read] of Object.entries(reads)) {
  test(`${what}: not read any more once the environment is being closed`, async (t) => {
    const environment = opened(temporaryFolder(t));
    const table = environment.table('things');
    await environment.commit((changes) => changes.put(table, { key, value }));
    read(table, environment);
    // LMDB has something to wait for while it closes: it has freed what is read through by then.
    const writing = environment.commit((changes) => changes.put(table, { key, value }));
    const over = new AbortController();
    const closing = environment.close().then(() => over.abort());
    while (!over.signal.aborted) {
      assert.throws(() => read(table, environment), isClosedError);
      await setImmediate();
    }
    await Promise.all([writing, closing]);
    assert.throws(() => read(table, environment), isClosedError);
  });
}

function isClosedError(error: unknown): boolean {
  return isAltNetError(error, 'INTERNAL') && error.message.includes('the store is closed');
}

test('a table is opened once', async (t) => {
  const environment = opened(temporaryFolder(t));
  assert.equal(environment.table('things'), environment.table('things'));
  await environment.close();
});
