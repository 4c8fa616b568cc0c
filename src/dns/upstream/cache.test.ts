import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../../../test/support/manual-world.ts';
import { ReplyCache } from './cache.ts';
import type { Reply } from './reply.ts';

function reply(ttlSeconds: number, bytes = 100): Reply {
  const octets = new Uint8Array(bytes);
  return { kind: 'reply', rcode: 0, isTruncated: false, octets, ttlOffsets: [], ttlSeconds };
}

test('an answer grows older until it holds no longer', () => {
  const world = manualWorld();
  const cache = new ReplyCache(world.clock, 10_000);
  cache.set('a', reply(10));
  world.advance(9500);
  const { ageSeconds, ttlSeconds } = cache.get('a') ?? assert.fail();
  assert.deepEqual([ageSeconds, ttlSeconds], [9, 1]);
  world.advance(500);
  assert.equal(cache.get('a'), undefined);
  assert.equal(cache.bytes, 0);
});

test('what does not hold is not remembered, nor what was cut off', () => {
  const cache = new ReplyCache(manualWorld().clock, 10_000);
  cache.set('a', reply(0));
  cache.set('b', { ...reply(10), isTruncated: true });
  assert.equal(cache.bytes, 0);
});

test('it stays within its bytes; what was used last stays', () => {
  const cache = new ReplyCache(manualWorld().clock, 10_000);
  cache.set('kept', reply(10, 1000));
  for (let i = 0; i < 100; i++) {
    cache.set(`${i}`, reply(10, 1000));
    assert.ok(cache.bytes <= 10_000);
    assert.ok(cache.get('kept'));
  }
  assert.equal(cache.get('0'), undefined);
  assert.ok(cache.get('99'));
  cache.set('huge', reply(10, 10_000));
  assert.equal(cache.get('huge'), undefined);
  const before = cache.bytes;
  cache.set('kept', reply(20, 1000));
  assert.equal(cache.bytes, before);
});
