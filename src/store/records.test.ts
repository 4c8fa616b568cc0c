import type { TestContext } from 'node:test';
import { publicationJournalConformance } from '../../test/conformance/publication-journal.ts';
import { recordStoreConformance } from '../../test/conformance/record-store.ts';
import { atEnd, temporaryFolder } from '../../test/support/cleanup.ts';
import { openTestStore } from '../../test/support/store-folder.ts';
import type { Store } from './store.ts';

async function opened(t: TestContext): Promise<{ store: Store; reopen: () => Promise<Store> }> {
  const folder = temporaryFolder(t);
  let store = await openTestStore(folder);
  atEnd(t, () => store.close());
  const reopen = async (): Promise<Store> => {
    await store.close();
    store = await openTestStore(folder);
    return store;
  };
  return { store, reopen };
}

recordStoreConformance('LMDB', async (t) => {
  const { store, reopen } = await opened(t);
  return { store: store.records, reopen: async () => (await reopen()).records };
});

publicationJournalConformance('LMDB', async (t) => {
  const { store, reopen } = await opened(t);
  return { journal: store.journal, reopen: async () => (await reopen()).journal };
});
