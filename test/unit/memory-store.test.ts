import { publicationJournalConformance } from '../conformance/publication-journal.ts';
import { recordStoreConformance } from '../conformance/record-store.ts';
import { MemoryPublicationJournal, MemoryRecordStore } from '../support/memory-store.ts';

recordStoreConformance('the memory store', () => ({ store: new MemoryRecordStore() }));
publicationJournalConformance('the memory journal', () => ({
  journal: new MemoryPublicationJournal(),
}));
