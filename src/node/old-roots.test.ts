import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { auditStore } from '../../test/support/store-audit.ts';
import { openTestStore } from '../../test/support/store-folder.ts';
import { writeOldStore } from '../../test/support/store-old.ts';
import { silentLogger } from '../base/logger.ts';
import { nameOldRoots } from './old-roots.ts';

test('the roots of an older version keep their blocks, and what is of neither goes', async (t) => {
  const folder = temporaryFolder(t);
  const [own, visited] = await writeOldStore(folder);
  rmSync(path.join(folder, 'store', 'blocks'), { recursive: true });
  const store = await openTestStore(folder);
  await nameOldRoots(store, silentLogger);
  await nameOldRoots(store, silentLogger);
  const held = [...store.holdings.list()];
  assert.deepEqual(
    new Map(held.map(({ hash, kind, complete }) => [Buffer.from(hash), { kind, complete }])),
    new Map([
      [own, { kind: 'own', complete: true }],
      [visited, { kind: 'visited', complete: true }],
    ]),
  );
  await store.close();
  await (await openTestStore(folder)).close();
  const audit = await auditStore(folder);
  assert.deepEqual(audit.problems, []);
});
