/** Stores for tests, closed before their folder is removed. */
import type { TestContext } from 'node:test';
import { systemWorld } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { Block } from '../../src/content/ports.ts';
import { openStore, type Store, type StoreOptions } from '../../src/store/store.ts';
import { atEnd, temporaryFolder } from './cleanup.ts';

type TestStoreOptions = Partial<Omit<StoreOptions, 'folder'>>;

export function openTestStore(folder: string, options: TestStoreOptions = {}): Promise<Store> {
  return openStore({ folder, world: systemWorld, log: silentLogger, ...options });
}

/** A store in a folder of its own. */
export async function testStore(
  t: TestContext,
  options: TestStoreOptions = {},
): Promise<{ folder: string; store: Store }> {
  const folder = temporaryFolder(t);
  const store = await openTestStore(folder, options);
  atEnd(t, () => store.close());
  return { folder, store };
}

/** Puts blocks into a holding of this root, which stays partial. */
export async function putInto(
  store: Store,
  root: Uint8Array,
  blocks: readonly Block[],
): Promise<void> {
  const link = { codec: 'raw', hash: root } as const;
  await using holding = await store.holdings.open({ kind: 'visited', root: link });
  await holding.putAll(blocks);
}
