import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  authorKey,
  nodeKey,
  sampleLink,
  sampleLinkTombstone,
  sampleName,
  sampleProvider,
  testNetwork,
  testNow,
  testProfile,
} from '../../../test/support/dht-samples.ts';
import {
  benchSelf as self,
  homeSource,
  passUntil,
  storageBench,
} from '../../../test/support/storage-bench.ts';
import { equalBytes, toHex } from '../../base/bytes.ts';
import type { SignedRecord } from '../../record/envelope.ts';
import { storeStatusName } from '../../record/kinds.ts';
import { type Claim, Storage } from './storage.ts';

const hour = 3600;
const day = 24 * hour;

function link(n: number, seq = 1n): SignedRecord {
  return sampleLink(`https://${n}.example/`, { seq });
}

function linkBy(n: number): SignedRecord {
  return sampleLink('https://a.example/', { by: authorKey(n) });
}

function gone(n: number): SignedRecord {
  return sampleLinkTombstone(`https://${n}.example/`, { seq: 2n, issued: testNow - 100 + n });
}

function providerBy(n: number, issued: number = testNow): SignedRecord {
  return sampleProvider(7, { by: nodeKey(n), issued });
}

test('what is taken is there when the answer is, with where and when it came from', async () => {
  const { storage, store, records, pass, world } = storageBench();
  const record = sampleName('alice');
  assert.equal(await store(record), 'OK_PROVISIONAL');
  const heldSinceMs = world.clock.unixMs();
  const [stored] = records.list(record.key);
  assert.ok(stored && equalBytes(stored.record.bytes, record.bytes));
  assert.deepEqual(
    [stored.heldSinceMs, stored.refreshedMs, stored.source, stored.provisional],
    [heldSinceMs, heldSinceMs, homeSource, true],
  );
  pass(hour);
  assert.equal(await store(record), 'OK_DUPLICATE');
  const [again] = storage.list(record.key);
  assert.deepEqual(
    [again?.heldSinceMs, again?.refreshedMs],
    [heldSinceMs, heldSinceMs + 3_600_000],
  );
  assert.deepEqual(storage.totals, { records: 1, bytes: record.bytes.length });
});

test('what is wrong with a record alone is said before anything is looked up', async () => {
  const { store, storage } = storageBench();
  const good = sampleName('alice');
  const forged = good.bytes.slice();
  forged.set([(forged.at(-1) ?? 0) ^ 1], forged.length - 1);
  const moved = good.bytes.slice();
  moved.set([(moved[4] ?? 0) ^ 1], 4);
  assert.equal(await store(new Uint8Array(10)), 'MALFORMED');
  assert.equal(await store(new Uint8Array(1001)), 'TOO_BIG');
  assert.equal(await store(moved), 'KEY_MISMATCH');
  assert.equal(await store(forged), 'BAD_SIG');
  assert.equal(await store(sampleName('alice', { issued: testNow + hour })), 'CLOCK');
  const old = { issued: testNow - 2 * hour, expires: testNow - hour };
  assert.equal(await store(sampleName('alice', old)), 'EXPIRED');
  assert.equal(storage.totals.records, 0);
});

test('a key that others are much nearer to is none of ours', async () => {
  const { store } = storageBench({}, () => true);
  assert.equal(await store(sampleName('alice')), 'NOT_CLOSE');
});

test('withdrawals outlast the two days and end with the life of what they withdrew', async () => {
  const { store, storage, pass } = storageBench();
  const tombstone = sampleLinkTombstone('https://a.example/', { seq: 2n });
  assert.equal(await store(tombstone), 'OK');
  pass(29 * day);
  assert.equal(storage.list(tombstone.key).length, 1);
  pass(day);
  assert.equal(storage.list(tombstone.key).length, 0);
});

test('an author has four links per URL; taking one back makes room', async () => {
  const { store, storage } = storageBench();
  for (const n of [1, 2, 3, 4]) assert.equal(await store(link(n)), 'OK');
  assert.equal(await store(link(5)), 'QUOTA_AUTHOR');
  assert.equal(await store(link(4, 2n)), 'OK', 'a newer record of the same slot');
  assert.equal(await store(sampleLinkTombstone('https://1.example/', { seq: 2n })), 'OK');
  assert.equal(await store(link(5)), 'OK');
  assert.equal(await store(link(1, 3n)), 'QUOTA_AUTHOR', 'it may not come back as a fifth');
  const live = storage.list(link(1).key).filter(({ record }) => !record.tombstone);
  assert.equal(live.length, 4);
});

test('withdrawals are as many as links; the oldest goes', async () => {
  const { store, storage } = storageBench();
  for (const n of [1, 2, 3, 4, 5]) assert.equal(await store(gone(n)), 'OK');
  const issued = storage.list(gone(1).key).map(({ record }) => record.issued - testNow + 100);
  assert.deepEqual(
    issued.toSorted((a, b) => a - b),
    [2, 3, 4, 5],
  );
  assert.equal(storage.totals.records, 4);
});

test('a URL has 128 links of all authors', async () => {
  const { store } = storageBench();
  for (let n = 1; n <= 128; n++) assert.equal(await store(linkBy(n)), 'OK');
  assert.equal(await store(linkBy(129)), 'QUOTA_KEY');
  assert.equal(await store(sampleLink('https://b.example/', { by: authorKey(5) })), 'QUOTA_KEY');
});

test('content has 64 providers, each until it expires', async () => {
  const { store, storage, pass } = storageBench();
  for (let n = 1; n <= 64; n++) assert.equal(await store(providerBy(n)), 'OK');
  assert.equal(await store(providerBy(65)), 'QUOTA_KEY');
  pass(8 * hour);
  assert.deepEqual(storage.list(providerBy(1).key), []);
  assert.equal(await store(providerBy(65, testNow + 8 * hour)), 'OK', 'what expired takes no room');
});

test('when the budget is used up, what is farthest from us goes', async () => {
  const sample = sampleName('x0');
  const { store, storage } = storageBench({ recordBytesBudget: 10 * sample.bytes.length });
  const names = Array.from({ length: 30 }, (_, i) => sampleName(`x${i}`));
  const statuses: string[] = [];
  for (const record of names) statuses.push(await store(record));
  assert.ok(statuses.includes('QUOTA_TOTAL') && storage.totals.bytes <= 10 * sample.bytes.length);
  const kept = [...storage.entries()].map(({ stored }) => toHex(stored.record.key));
  const nearest = names.map(({ key }) => toHex(key)).toSorted(); // our ID is zero
  assert.deepEqual(kept.slice(0, 5), nearest.slice(0, 5));
});

test('what a run before left counts, and waits for confirmation as before', async () => {
  const { records, store, world, storage } = storageBench();
  await store(sampleName('alice'));
  await store(sampleName('bob'));
  await storage.confirm(sampleName('alice'));
  const claims: Claim[] = [];
  const later = new Storage({
    records,
    clock: world.clock,
    self,
    profile: testProfile,
    network: testNetwork,
    isTooFar: () => false,
    onClaim: (claim) => claims.push(claim),
  });
  await later.open(world.timers);
  assert.deepEqual(later.totals, storage.totals);
  assert.deepEqual(claims, [{ key: sampleName('bob').key, source: homeSource }]);
});

test('until what is there has been counted, nothing is taken', async () => {
  const { records, store, storage, accept, world } = storageBench();
  for (let n = 0; n < 300; n++) await store(sampleProvider(n, { by: nodeKey(n) }));
  const late = sampleName('alice');
  const opened = storage.open(world.timers);
  const { status, detail } = await accept(late);
  assert.deepEqual([storeStatusName(status), detail], ['RATE', 2]);
  assert.equal(records.list(late.key).length, 0);
  await passUntil(world, opened);
  assert.equal(await store(late), 'OK_PROVISIONAL');
});

test('more writes at a time than it can take are refused', async () => {
  const { store } = storageBench({ writesMax: 1 });
  const statuses = await Promise.all([store(sampleName('alice')), store(sampleName('bob'))]);
  assert.deepEqual(statuses, ['OK_PROVISIONAL', 'RATE']);
});

test('a clock that jumps ahead costs nothing that is held, until it is sure that it is later', async () => {
  const it = storageBench();
  const provider = sampleProvider(1);
  assert.equal(await it.store(provider), 'OK');
  const beforeMs = it.world.clock.unixMs();
  it.pass(24 * 3600);
  it.earliestUnixMs = beforeMs;
  const dropDue = async (): Promise<void> => {
    for (const held of it.storage.entries()) await it.storage.dropIfDue(held);
  };
  await dropDue();
  assert.equal(it.storage.list(provider.key).length, 1);
  it.earliestUnixMs = undefined;
  assert.equal(it.storage.list(provider.key).length, 0);
  await dropDue();
  assert.equal(it.storage.totals.records, 0);
});
