import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testStore } from '../../test/support/store-folder.ts';
import { utf8 } from '../base/bytes.ts';

test('notes are listed by prefix, replaced and removed', async (t) => {
  const { store } = await testStore(t);
  await store.notes.put('pin/b', utf8('2'));
  await store.notes.put('pin/a', utf8('1'));
  await store.notes.put('pin/a', utf8('3'));
  await store.notes.put('pio', utf8('x'));
  await store.notes.put('pi', utf8('y'));
  const text = (prefix: string): string[] =>
    store.notes.list(prefix).map(({ name, value }) => `${name}=${Buffer.from(value).toString()}`);
  assert.deepEqual(text('pin/'), ['pin/a=3', 'pin/b=2']);
  assert.deepEqual(text('pi').length, 4);
  assert.equal(store.notes.get('pin/c'), undefined);
  await store.notes.removeAll(['pin/a', 'none']);
  assert.deepEqual(text('pin/'), ['pin/b=2']);
});
