import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bodies, type Body } from './bodies.ts';
import { InFlight } from './inflight.ts';

const body = (size: number, encoding?: 'gzip'): Body => ({
  bytes: new Uint8Array(size),
  shown: { size, type: 'x', etag: '"x"', cacheControl: 'x', encoding },
});

test('what was unused for longest makes room', () => {
  const bodies = new Bodies({ bytesMax: 10_000, bodyBytesMax: 4000 });
  bodies.add('a', body(4000));
  bodies.add('b', body(4000));
  assert.ok(bodies.get('a'));
  bodies.add('c', body(4000));
  assert.equal(bodies.get('b'), undefined);
  assert.ok(bodies.get('a') && bodies.get('c'));
});

test('what is too big, or nothing at all, cannot fill the memory', () => {
  const bodies = new Bodies({ bytesMax: 10_000, bodyBytesMax: 4000 });
  bodies.add('big', body(4001));
  assert.equal(bodies.get('big'), undefined);
  for (let i = 0; i < 1000; i++) bodies.add(`empty ${i}`, body(0));
  const kept = Array.from({ length: 1000 }, (_, i) => bodies.get(`empty ${i}`)).filter(Boolean);
  assert.equal(kept.length, 19);
});

test('long keys and places are no way around the limit', () => {
  const bodies = new Bodies({ bytesMax: 100_000, bodyBytesMax: 4000 });
  const place = 'p'.repeat(4000);
  const keys = Array.from({ length: 100 }, (_, i) => `${i}${'k'.repeat(4000)}`);
  for (const key of keys) bodies.add(key, { ...body(0), shown: { ...body(0).shown, place } });
  assert.equal(keys.filter((key) => bodies.get(key)).length, 11);
});

test('what was encoded may be larger, as it cost more', () => {
  const bodies = new Bodies({ bytesMax: 160_000, bodyBytesMax: 4000 });
  bodies.add('encoded', body(10_000, 'gzip'));
  assert.ok(bodies.get('encoded'));
  bodies.add('too large', body(10_001, 'gzip'));
  assert.equal(bodies.get('too large'), undefined);
});

test('everything in use, the oldest goes all the same', () => {
  const bodies = new Bodies({ bytesMax: 10_000, bodyBytesMax: 4000 });
  for (const key of ['a', 'b']) bodies.add(key, body(4000));
  for (const key of ['a', 'b']) assert.ok(bodies.get(key));
  bodies.add('c', body(4000));
  bodies.add('d', body(4000));
  const kept = ['a', 'b', 'c', 'd'].filter((key) => bodies.get(key));
  assert.equal(kept.length, 2);
});

test('the same entry twice counts once', () => {
  const bodies = new Bodies({ bytesMax: 10_000, bodyBytesMax: 4000 });
  bodies.add('a', body(4000));
  for (let i = 0; i < 10; i++) bodies.add('b', body(4000));
  assert.ok(bodies.get('a'));
});

test('places are counted for each client and in all', () => {
  const inFlight = new InFlight({ requestsMax: 3, requestsPerClientMax: 2 });
  assert.deepEqual(
    ['a', 'a', 'a', undefined, 'c'].map((client) => inFlight.enter(client)),
    [undefined, undefined, 'client', undefined, 'all'],
  );
  inFlight.leave('a');
  assert.equal(inFlight.enter('c'), undefined);
  for (const client of ['a', undefined, 'c']) inFlight.leave(client);
  assert.equal(inFlight.total, 0);
});
