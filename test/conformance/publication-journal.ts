/**
 * What every PublicationJournal must do; the memory journal of the simulator and the LMDB journal
 * run the same tests.
 */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { toHex, utf8 } from '../../src/base/bytes.ts';
import type { PublicationJournal, PublishedRecord } from '../../src/dht/ports.ts';
import { sampleKey, sampleRecord } from './sample-record.ts';

export interface OpenedJournal {
  readonly journal: PublicationJournal;
  /** Closes the journal and opens what it left on the disk; absent where nothing outlives it. */
  readonly reopen?: () => Promise<PublicationJournal>;
}

/** An empty journal; what it needs is released through `t.after`. */
export type OpenJournal = (t: TestContext) => OpenedJournal | Promise<OpenedJournal>;

const keyA = sampleKey(0x0a);
const keyB = sampleKey(0x0b);
const slot = utf8('slot');

function lines(journal: PublicationJournal): string[] {
  return journal
    .list()
    .map(({ record, publishedMs }) => `${toHex(record.hash)} ${publishedMs}`)
    .toSorted();
}

function lineOf({ record, publishedMs }: PublishedRecord): string {
  return `${toHex(record.hash)} ${publishedMs}`;
}

export function publicationJournalConformance(name: string, open: OpenJournal): void {
  describe(`${name} as a PublicationJournal`, () => {
    test('an empty journal lists nothing', async (t) => {
      const { journal } = await open(t);
      assert.deepEqual(journal.list(), []);
    });

    test('an entry is replaced by the next of its slot, and by no other', async (t) => {
      const { journal } = await open(t);
      const newer = { record: sampleRecord(keyA, 2), publishedMs: 1_767_225_600_123 };
      const otherSlot = { record: sampleRecord(keyA, 5), publishedMs: 7 };
      const otherKey = { record: sampleRecord(keyB, 1), publishedMs: 0 };
      await journal.put(slot, { record: sampleRecord(keyA, 1), publishedMs: 0 });
      await journal.put(slot, newer);
      await journal.put(utf8('slot2'), otherSlot);
      await journal.put(slot, otherKey);
      assert.deepEqual(lines(journal), [newer, otherSlot, otherKey].map(lineOf).toSorted());
      const got = journal.get(keyA, slot);
      assert.equal(got && lineOf(got), lineOf(newer));
      assert.equal(journal.get(keyB, utf8('slot2')), undefined);
      const under = journal.under(keyA).map(lineOf);
      assert.deepEqual(under.toSorted(), [newer, otherSlot].map(lineOf).toSorted());
      assert.deepEqual(journal.under(sampleKey(0x0c)), []);
    });

    test('removing takes one slot; removing what is not there is no error', async (t) => {
      const { journal } = await open(t);
      const kept = { record: sampleRecord(keyB, 1), publishedMs: 3 };
      await journal.put(slot, { record: sampleRecord(keyA, 1), publishedMs: 0 });
      await journal.put(slot, kept);
      await journal.remove(keyA, slot);
      await journal.remove(keyA, slot);
      await journal.remove(keyB, utf8('other'));
      assert.deepEqual(lines(journal), [lineOf(kept)]);
    });

    test('a list does not change once it was given out', async (t) => {
      const { journal } = await open(t);
      await journal.put(slot, { record: sampleRecord(keyA, 1), publishedMs: 0 });
      const before = journal.list();
      await journal.remove(keyA, slot);
      assert.equal(before.length, 1);
      assert.deepEqual(journal.list(), []);
    });

    test('what was acknowledged is there after the journal was closed and opened', async (t) => {
      const { journal, reopen } = await open(t);
      if (!reopen) return t.skip('nothing outlives this journal');
      const kept = { record: sampleRecord(keyA, 4), publishedMs: 1_767_225_600_123 };
      await journal.put(slot, kept);
      assert.deepEqual(lines(await reopen()), [lineOf(kept)]);
    });
  });
}
