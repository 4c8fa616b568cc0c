import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testStore } from '../../test/support/store-folder.ts';
import { utf8 } from '../base/bytes.ts';
import type { HeldRoot } from './roots.ts';

function root(first: number, own: boolean): HeldRoot {
  return {
    hash: new Uint8Array(32).fill(first),
    codec: own ? 'dag-pb' : 'raw',
    own,
    files: first * 1000,
    bytes: first * 10_000_000_000,
    addedMs: 1_767_225_600_123,
  };
}

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

test('roots come back as they were put', async (t) => {
  const { store } = await testStore(t);
  const roots = [root(1, true), root(2, false), root(255, true)];
  for (const one of roots.toReversed()) await store.roots.put(one);
  assert.deepEqual([...store.roots.list()], roots);
  assert.deepEqual(store.roots.get(new Uint8Array(32).fill(2)), roots[1]);
  await store.roots.remove(new Uint8Array(32).fill(2));
  assert.equal(store.roots.get(new Uint8Array(32).fill(2)), undefined);
});
