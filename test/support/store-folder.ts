/** Stores for tests, closed before their folder is removed. */
import type { TestContext } from 'node:test';
import { systemWorld } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { atEnd, temporaryFolder } from './cleanup.ts';

export function openTestStore(folder: string): Promise<Store> {
  return openStore({ folder, world: systemWorld, log: silentLogger });
}

/** A store in a folder of its own. */
export async function testStore(t: TestContext): Promise<{ folder: string; store: Store }> {
  const folder = temporaryFolder(t);
  const store = await openTestStore(folder);
  atEnd(t, () => store.close());
  return { folder, store };
}
