/**
 * What every RecordStore must do. The memory store of the simulator and the LMDB store run the
 * same tests: `recordStoreConformance('LMDB', open)` in a test file of theirs.
 */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { type Bytes, toHex, utf8 } from '../../src/base/bytes.ts';
import type { RecordStore, StoredRecord } from '../../src/dht/ports.ts';
import { sampleKey, sampleRecord } from './sample-record.ts';

export interface OpenedRecordStore {
  readonly store: RecordStore;
  /** Closes the store and opens what it left on the disk; absent where nothing outlives it. */
  readonly reopen?: () => Promise<RecordStore>;
}

/** An empty store; what it needs is released through `t.after`. */
export type OpenRecordStore = (t: TestContext) => OpenedRecordStore | Promise<OpenedRecordStore>;

const keyA = sampleKey(0x0a);
const keyB = sampleKey(0x0b);

function stored(key: Bytes, changes: Partial<StoredRecord> = {}): StoredRecord {
  return {
    record: sampleRecord(key),
    heldSinceMs: 1_767_225_600_123,
    refreshedMs: 1_767_225_700_456,
    provisional: false,
    source: '4:c00002',
    ...changes,
  };
}

/** What counts of a stored record, in a shape that assertions can compare. */
function plain({ record, ...rest }: StoredRecord): Record<string, unknown> {
  return { ...rest, bytes: toHex(record.bytes), hash: toHex(record.hash), key: toHex(record.key) };
}

function everything(store: RecordStore): string[] {
  return [...store.entries()].map(
    ({ slot, stored: { record } }) => `${toHex(record.key.subarray(0, 1))}/${toHex(slot)}`,
  );
}

export function recordStoreConformance(name: string, open: OpenRecordStore): void {
  describe(`${name} as a RecordStore`, () => {
    readsAndReplaces(open);
    ordersAndRemoves(open);
    survives(open);
  });
}

function readsAndReplaces(open: OpenRecordStore): void {
  test('an empty store lists nothing', async (t) => {
    const { store } = await open(t);
    assert.deepEqual(store.list(keyA), []);
    assert.deepEqual([...store.entries()], []);
  });

  test('what was put is listed with all that is remembered of it', async (t) => {
    const { store } = await open(t);
    const value = stored(keyA, { provisional: true, source: '' });
    await store.put(utf8('slot'), value);
    assert.deepEqual(store.list(keyA).map(plain), [plain(value)]);
    assert.deepEqual(store.list(keyB), []);
  });

  test('a slot holds one record: the last one put', async (t) => {
    const { store } = await open(t);
    await store.put(utf8('slot'), stored(keyA));
    const newer = stored(keyA, { record: sampleRecord(keyA, 2), refreshedMs: 1_767_225_800_000 });
    await store.put(utf8('slot'), newer);
    assert.deepEqual(store.list(keyA).map(plain), [plain(newer)]);
  });

  test('writes that overlap all arrive, the last one wins its slot', async (t) => {
    const { store } = await open(t);
    const versions = Array.from({ length: 20 }, (_, i) =>
      stored(keyA, { record: sampleRecord(keyA, i + 1) }),
    );
    await Promise.all(versions.map((value) => store.put(utf8('one'), value)));
    await Promise.all(versions.map((value, i) => store.put(Uint8Array.of(i), value)));
    assert.equal(store.list(keyA).length, 21);
    const last = store.list(keyA).at(-1);
    assert.equal(last?.record.seq, 20n);
  });
}

function ordersAndRemoves(open: OpenRecordStore): void {
  test('a key lists in order of slot, whatever the order of writing', async (t) => {
    const { store } = await open(t);
    const slots = [[2], [], [1, 0], [0xff], [1], Array<number>(64).fill(7)];
    for (const slot of slots) await store.put(Uint8Array.from(slot), stored(keyA));
    const listed = everything(store).map((entry) => entry.slice(3));
    assert.deepEqual(listed, ['', '01', '0100', '02', '07'.repeat(64), 'ff']);
    assert.equal(store.list(keyA).length, slots.length);
  });

  test('a list follows every change, in order of slot', async (t) => {
    const { store } = await open(t);
    const seqs = (): bigint[] => store.list(keyA).map(({ record }) => record.seq);
    const put = (slot: number, seq: number): Promise<void> =>
      store.put(Uint8Array.of(slot), stored(keyA, { record: sampleRecord(keyA, seq) }));
    await put(5, 1);
    assert.deepEqual(seqs(), [1n]);
    await put(9, 2);
    await put(3, 3);
    await put(7, 4);
    assert.deepEqual(seqs(), [3n, 1n, 4n, 2n]);
    await put(7, 5);
    assert.deepEqual(seqs(), [3n, 1n, 5n, 2n]);
    await store.remove(keyA, Uint8Array.of(3));
    await store.remove(keyA, Uint8Array.of(8));
    assert.deepEqual(seqs(), [1n, 5n, 2n]);
    for (const slot of [5, 7, 9]) await store.remove(keyA, Uint8Array.of(slot));
    assert.deepEqual(seqs(), []);
  });

  test('a key whose bytes start another slot does not leak into it', async (t) => {
    const { store } = await open(t);
    await store.put(keyB, stored(keyA));
    await store.put(keyA, stored(keyB));
    assert.equal(store.list(keyA).length, 1);
    assert.equal(store.list(keyB).length, 1);
    assert.equal(toHex(store.list(keyA)[0]?.record.key ?? keyB), toHex(keyA));
  });

  test('entries come in order of key', async (t) => {
    const { store } = await open(t);
    for (const first of [0x80, 0x01, 0xff, 0x7f]) {
      await store.put(Uint8Array.of(1), stored(sampleKey(first)));
    }
    assert.deepEqual(everything(store), ['01/01', '7f/01', '80/01', 'ff/01']);
  });

  test('keys come in order, each once, from a given one on', async (t) => {
    const { store } = await open(t);
    for (const first of [0x80, 0x01, 0xff, 0x7f]) {
      for (let i = 0; i < 40; i++) {
        await store.put(Uint8Array.of(i), stored(sampleKey(first)));
      }
    }
    const firsts = (from: Bytes): number[] => [...store.keys(from)].map(([first]) => first ?? 0);
    assert.deepEqual(firsts(new Uint8Array(32)), [0x01, 0x7f, 0x80, 0xff]);
    assert.deepEqual(firsts(sampleKey(0x7f)), [0x7f, 0x80, 0xff]);
    assert.deepEqual(firsts(Uint8Array.of(0x80)), [0x80, 0xff]);
    assert.deepEqual(firsts(new Uint8Array(32).fill(0xff)), []);
    for (const key of store.keys(new Uint8Array())) await store.remove(key, Uint8Array.of(0));
    assert.deepEqual(firsts(new Uint8Array(32)), [0x01, 0x7f, 0x80, 0xff]);
  });

  test('removing takes one slot; removing what is not there is no error', async (t) => {
    const { store } = await open(t);
    await store.put(Uint8Array.of(1), stored(keyA));
    await store.put(Uint8Array.of(2), stored(keyA));
    await store.remove(keyA, Uint8Array.of(1));
    await store.remove(keyA, Uint8Array.of(1));
    await store.remove(keyB, Uint8Array.of(2));
    assert.deepEqual(everything(store), ['0a/02']);
  });

  test('entries may be changed while they are read', async (t) => {
    const { store } = await open(t);
    for (let i = 0; i < 50; i++) await store.put(Uint8Array.of(i), stored(keyA));
    let seen = 0;
    for (const { slot, stored: entry } of store.entries()) {
      seen++;
      await store.remove(entry.record.key, slot);
    }
    assert.equal(seen, 50);
    assert.deepEqual(everything(store), []);
  });
}

function survives(open: OpenRecordStore): void {
  test('what was acknowledged is there after the store was closed and opened', async (t) => {
    const { store, reopen } = await open(t);
    if (!reopen) return t.skip('nothing outlives this store');
    const kept = stored(keyA, { record: sampleRecord(keyA, 3) });
    await store.put(Uint8Array.of(1), kept);
    await store.put(Uint8Array.of(2), stored(keyB));
    await store.remove(keyB, Uint8Array.of(2));
    const again = await reopen();
    assert.deepEqual(again.list(keyA).map(plain), [plain(kept)]);
    assert.deepEqual(everything(again), ['0a/01']);
  });
}
