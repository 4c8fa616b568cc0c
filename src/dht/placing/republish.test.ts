import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  authorKey,
  sampleLink,
  sampleName,
  sampleProvider,
} from '../../../test/support/dht-samples.ts';
import {
  hourMs,
  publisherBench,
  putOff,
  taken,
  unheard,
} from '../../../test/support/publisher-bench.ts';
import { slotOf } from '../../record/registry.ts';

test('ten thousand records are stored again one by one, and the most urgent first', async () => {
  const it = publisherBench();
  const nowMs = it.world.clock.unixMs();
  const many = Array.from({ length: 10_000 }, (_, i) => sampleName(`name-${i}`));
  for (const [i, record] of many.entries()) {
    // All are due, and each is forgotten by storers at a time of its own.
    await it.journal.put(slotOf(record), { record, publishedMs: nowMs - 13 * hourMs - (i % 997) });
  }
  const [name, link] = [sampleName('alice'), sampleLink('https://a.example/')];
  for (const record of [link, name]) {
    await it.journal.put(slotOf(record), { record, publishedMs: nowMs - 20 * hourMs });
  }
  let mostAtOnce = 0;
  let underWay = 0;
  it.storing = async () => {
    mostAtOnce = Math.max(mostAtOnce, ++underWay);
    await Promise.resolve();
    underWay--;
  };
  await it.publisher.start();
  await it.world.advanceAsync(100_000);
  const soon = it.stored.length;
  assert.ok(soon > 50 && soon < 1000, `${soon} in less than two minutes`);
  assert.deepEqual(it.stored[0], name);
  await it.world.advanceAsync(1000 * 1000);
  assert.equal(it.stored.length, 10_002);
  assert.deepEqual(it.stored.at(-1), link);
  assert.equal(mostAtOnce, 1);
  await it.publisher.stop();
});

test('storers that say that it is too fast are given time', async () => {
  const it = publisherBench();
  it.result = putOff;
  const publishedMs = it.world.clock.unixMs() - 20 * hourMs;
  for (let i = 0; i < 100; i++) {
    const record = sampleName(`name-${i}`);
    await it.journal.put(slotOf(record), { record, publishedMs });
  }
  await it.publisher.start();
  await it.world.advanceAsync(75_000 + 60_000);
  assert.ok(it.stored.length < 20, `${it.stored.length} in a minute`);
  it.result = taken;
  await it.world.advanceAsync(60_000);
  assert.ok(it.stored.length >= 99, `${it.stored.length}`);
  await it.publisher.stop();
});

test('a node that was off for days signs anew what expired meanwhile', async () => {
  const it = publisherBench();
  const nowMs = it.world.clock.unixMs();
  const issued = nowMs / 1000 - 100 * 86_400;
  const [name, provider] = [sampleName('alice', { issued }), sampleProvider(1, { issued })];
  for (const record of [name, provider]) {
    assert.ok(record.expires < nowMs / 1000);
    await it.journal.put(slotOf(record), { record, publishedMs: issued * 1000 });
  }
  it.contacts = 0;
  await it.publisher.start();
  await it.world.advanceAsync(80_000);
  assert.equal(it.stored.length, 0, 'there is nobody yet');
  it.contacts = 1;
  await it.world.advanceAsync(10_000);
  assert.equal(it.stored.length, 2);
  for (const { expires, seq } of it.stored) assert.ok(expires > nowMs / 1000 && seq === 2n);
  await it.publisher.stop();
});

test('while nobody knows what time it is, nothing is signed anew and nothing is forgotten', async () => {
  const it = publisherBench();
  const [name, provider] = [sampleName('alice'), sampleProvider(1)];
  const strange = sampleName('strange', { by: authorKey(7) });
  await it.publisher.start();
  for (const record of [name, provider, strange]) await it.publisher.publish(record);
  const before = it.journal.list().length;
  it.stored.length = 0;
  it.isDoubtful = true;
  it.clockMs = 100 * 24 * hourMs;
  it.publisher.wake();
  await it.world.advanceAsync(8000);
  assert.deepEqual(
    it.stored.map(({ seq }) => seq),
    [1n, 1n, 1n],
    'storing again does no harm',
  );
  await it.world.advanceAsync(600_000);
  assert.equal(it.stored.length, 3, 'and is done once');
  it.clockMs = 0;
  it.isDoubtful = false;
  it.publisher.wake();
  await it.world.advanceAsync(600_000);
  assert.equal(it.stored.length, 6, 'what was published in the future is due, once');
  assert.equal(it.journal.list().length, before);
  assert.ok(it.stored.every(({ seq }) => seq === 1n));
  await it.publisher.stop();
});

test('a clock that is put back by minutes has nothing published again', async () => {
  const it = publisherBench();
  await it.publisher.start();
  await it.publisher.publish(sampleName('alice'));
  it.clockMs = -300_000;
  await it.world.advanceAsync(600_000);
  assert.equal(it.stored.length, 1);
  await it.publisher.stop();
});

test('after a wake-up what failed is tried soon, not in an hour', async () => {
  const it = publisherBench();
  it.result = unheard;
  await it.publisher.start();
  await it.publisher.publish(sampleName('alice'));
  await it.passHours(6);
  const before = it.stored.length;
  it.result = taken;
  it.publisher.wake();
  await it.world.advanceAsync(6000);
  assert.equal(it.stored.length, before + 1);
  await it.publisher.stop();
});

test('what nobody answered while this node was cut off is tried as soon as it is back', async () => {
  const it = publisherBench();
  it.result = unheard;
  await it.publisher.start();
  await it.publisher.publish(sampleName('alice'));
  await it.passHours(6);
  it.contacts = 0;
  await it.world.advanceAsync(80_000);
  const before = it.stored.length;
  it.contacts = 1;
  it.result = taken;
  await it.world.advanceAsync(6000);
  assert.equal(it.stored.length, before + 1, 'not in an hour');
  await it.publisher.stop();
});

test('nothing is signed anew for nobody: others keep the version before', async () => {
  const it = publisherBench();
  await it.publisher.start();
  await it.publisher.publish(sampleProvider(1));
  const versions = (): readonly bigint[] => it.journal.list().map(({ record }) => record.seq);
  it.stored.length = 0;
  it.contacts = 0;
  await it.passHours(6);
  assert.deepEqual(versions(), [1n], 'past half of its life');
  it.contacts = 1;
  await it.world.advanceAsync(6000);
  assert.deepEqual(versions(), [2n], 'as soon as somebody is there');
  assert.deepEqual(
    it.stored.map(({ seq }) => seq),
    [2n],
  );
  it.contacts = 0;
  await it.passHours(9);
  assert.deepEqual(versions(), [3n], 'but what has expired is of no use to anybody');
  await it.publisher.stop();
});

test('when nobody answers, no more is signed anew in that round', async () => {
  const it = publisherBench();
  await it.publisher.start();
  for (let i = 1; i <= 5; i++) await it.publisher.publish(sampleProvider(i));
  it.result = unheard;
  await it.world.advanceAsync(4 * hourMs + 80_000);
  const renewed = it.journal.list().filter(({ record }) => record.seq > 1n).length;
  assert.ok(renewed >= 1 && renewed <= 2, `${renewed} in two rounds at most`);
  it.result = taken;
  await it.passHours(1);
  assert.ok(it.journal.list().every(({ record }) => record.seq === 2n));
  await it.publisher.stop();
});
