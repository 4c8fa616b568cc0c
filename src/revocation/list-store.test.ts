import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryNotes } from '../../test/support/memory-notes.ts';
import { type Bytes, concatBytes, toHex } from '../base/bytes.ts';
import { SigningKey } from '../identity/key.ts';
import { networkId, networkProfiles } from '../record/network.ts';
import { makeRevocationsRecord } from '../record/revocations.ts';
import { ListStore, type StoredList } from './list-store.ts';

const key = new SigningKey('author', new Uint8Array(32).fill(1));
const revoker = key.publicKey;
const entries = (count: number, fill = 1): Bytes =>
  concatBytes(
    ...Array.from({ length: count }, (_, i) =>
      Uint8Array.of(1, ...new Uint8Array(28).fill(fill), i >> 24, i >> 16, i >> 8, i),
    ),
  );
const record = makeRevocationsRecord(
  { count: 1, nextUpdate: 1_800_000_001, recent: entries(1) },
  { seq: 7n, issued: 1_800_000_000 },
  { key, network: networkId(networkProfiles.local) },
);
const listOf = (octets: Bytes, over: Partial<StoredList> = {}): StoredList => ({
  record,
  entries: octets,
  leftCount: 0,
  equivocated: false,
  diverged: false,
  ...over,
});

/** Notes that a crash cuts off: after so many writes, nothing is written any more. */
class CutNotes extends MemoryNotes {
  left = Number.POSITIVE_INFINITY;

  override async put(name: string, value: Bytes): Promise<void> {
    if (this.left-- <= 0) throw new Error('the power went');
    await super.put(name, value);
  }
}

test('a list is read as it was saved', async () => {
  const notes = new MemoryNotes();
  for (const list of [
    listOf(entries(0), { record: undefined }),
    listOf(entries(3)),
    listOf(entries(5000), { leftCount: 1234, equivocated: true, diverged: true }),
  ]) {
    await new ListStore(notes).save(revoker, list, true);
    const read = new ListStore(notes).load(revoker);
    assert.deepEqual(
      { ...read, record: undefined },
      {
        ...read,
        ...list,
        record: undefined,
      },
    );
    assert.deepEqual(read?.record?.bytes, list.record?.bytes);
  }
  assert.deepEqual(new ListStore(notes).revokers().map(toHex), [toHex(revoker)]);
  await new ListStore(notes).remove(revoker);
  assert.deepEqual(notes.list(''), []);
});

test('a list that grows is added to, piece by piece', async () => {
  const notes = new MemoryNotes();
  const store = new ListStore(notes);
  let writes = 0;
  const put = notes.put.bind(notes);
  notes.put = (name, value): Promise<void> => {
    writes++;
    return put(name, value);
  };
  await store.save(revoker, listOf(entries(0)), false);
  for (const count of [1, 20, 1984, 1985, 4000, 9000]) {
    writes = 0;
    await store.save(revoker, listOf(entries(count)), false);
    assert.ok(writes <= 5);
    assert.deepEqual(new ListStore(notes).load(revoker)?.entries, entries(count));
  }
  await store.save(revoker, listOf(entries(9001)), false);
});

test('a crash at any write leaves the list before or the list after', async () => {
  const [before, grown, other] = [entries(3000), entries(7000), entries(6000, 2)];
  for (const [after, isOther] of [
    [grown, false],
    [other, true],
  ] as const) {
    for (let cut = 0; cut < 7; cut++) {
      const notes = new CutNotes();
      const store = new ListStore(notes);
      await store.save(revoker, listOf(before), false);
      notes.left = cut;
      await store.save(revoker, listOf(after), isOther).catch(() => undefined);
      notes.left = Number.POSITIVE_INFINITY;
      const again = new ListStore(notes);
      const read = again.load(revoker)?.entries;
      assert.deepEqual(read, cut < 5 && read?.length === before.length ? before : after);
      await again.save(revoker, listOf(after), isOther);
      assert.deepEqual(new ListStore(notes).load(revoker)?.entries, after);
    }
  }
});

test('a damaged list is as good as none', async () => {
  const notes = new MemoryNotes();
  await new ListStore(notes).save(revoker, listOf(entries(3000)), false);
  const damaged = async (part: string, change: (value: Bytes) => Bytes): Promise<unknown> => {
    const [note] = notes.list(part);
    assert.ok(note);
    await notes.put(note.name, change(note.value));
    const read = new ListStore(notes).load(revoker);
    await notes.put(note.name, note.value);
    return read;
  };
  assert.equal(await damaged('revocations/', (value) => value.subarray(1)), undefined);
  assert.equal(await damaged('revocations/', (value) => value.slice().fill(9)), undefined);
  assert.equal(await damaged('revoker/', (value) => value.subarray(0, 15)), undefined);
  assert.equal(await damaged('revoker/', (value) => value.subarray(0, 100)), undefined);
  assert.equal(await damaged('revoker/', (value) => value.slice().fill(2, 0, 1)), undefined);
  assert.equal(new ListStore(notes).load(new Uint8Array(32)), undefined);
});
