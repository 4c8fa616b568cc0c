import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../../test/support/manual-world.ts';
import { KeyedBuckets, TokenBucket } from '../base/buckets.ts';
import { type Source, SourceLimits, SourceParser } from './source.ts';

/** How many of 1,000 attempts are let through. */
function passed(take: () => boolean): number {
  return Array.from({ length: 1000 }, take).filter(Boolean).length;
}

test('a bucket lets its burst through, then its rate', () => {
  const world = manualWorld();
  const bucket = new TokenBucket(world.clock, { perSecond: 20, burst: 40 });
  assert.equal(
    passed(() => bucket.take()),
    40,
  );
  world.advance(500);
  assert.equal(
    passed(() => bucket.take()),
    10,
  );
  world.advance(60_000);
  assert.equal(
    passed(() => bucket.take()),
    40,
  );
});

test('keys have buckets of their own, and a bounded number of them', () => {
  const world = manualWorld();
  const buckets = new KeyedBuckets(world.clock, { perSecond: 1, burst: 1, keysMax: 2 });
  assert.deepEqual(
    ['a', 'b', 'a', 'b'].map((key) => buckets.take(key)),
    [true, true, false, false],
  );
  buckets.take('c');
  assert.ok(buckets.take('a'), 'pushed out, it starts with a full bucket');
});

function sourceOf(address: string): Source {
  const source = new SourceParser().parse(address, 9000);
  assert.ok(source);
  return source;
}

test('an address gets 40 at once, a /24 gets 200, loopback is not limited', () => {
  const limits = new SourceLimits(manualWorld().clock);
  assert.equal(
    passed(() => limits.take(sourceOf('8.8.8.8'))),
    40,
  );
  const others = Array.from({ length: 10 }, (_, i) => sourceOf(`8.8.8.${10 + i}`));
  const through = others.map((source) => passed(() => limits.take(source)));
  assert.deepEqual(through, [40, 40, 40, 40, 0, 0, 0, 0, 0, 0]);
  assert.equal(
    passed(() => limits.take(sourceOf('8.8.9.8'))),
    40,
  );
  for (const local of ['127.0.0.1', '::1']) {
    assert.equal(
      passed(() => limits.take(sourceOf(local))),
      1000,
    );
  }
});

test('forged sources are not sources', () => {
  const parser = new SourceParser();
  for (const address of ['0.0.0.0', '224.0.0.1', '255.255.255.255', '::', 'ff02::1', 'nonsense']) {
    assert.equal(parser.parse(address, 9000), undefined, address);
  }
  assert.equal(parser.parse('8.8.8.8', 0), undefined);
  assert.deepEqual(parser.parse('::ffff:8.8.8.8', 5)?.endpoint, {
    ip: Uint8Array.of(8, 8, 8, 8),
    port: 5,
  });
  assert.equal(parser.parse('fe80::1%eth0', 5)?.scope, 'private');
});
