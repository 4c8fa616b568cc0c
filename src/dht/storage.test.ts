import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  authorKey,
  nodeKey,
  sampleLink,
  sampleLinkTombstone,
  sampleName,
  sampleNameTombstone,
  sampleProvider,
  testNetwork,
  testNow,
  testProfile,
} from '../../test/support/dht-samples.ts';
import { type ManualWorld, manualWorld } from '../../test/support/manual-world.ts';
import { MemoryRecordStore } from '../../test/support/memory-store.ts';
import { type Bytes, equalBytes, toHex } from '../base/bytes.ts';
import type { SignedRecord } from '../record/envelope.ts';
import { storeStatusName } from '../record/kinds.ts';
import { Storage, storageDefaults, type StorageOptions } from './storage.ts';

const self = new Uint8Array(32);
const hour = 3600;
const day = 24 * hour;

interface Bench {
  readonly world: ManualWorld;
  readonly records: MemoryRecordStore;
  readonly storage: Storage;
  /** The name of the status. */
  readonly store: (record: SignedRecord | Bytes) => Promise<string>;
  readonly pass: (seconds: number) => void;
}

function bench(options: Partial<StorageOptions> = {}, isTooFar = (): boolean => false): Bench {
  const world = manualWorld();
  const records = new MemoryRecordStore();
  const deps = { records, clock: world.clock, self, profile: testProfile, network: testNetwork };
  const storage = new Storage({ ...deps, isTooFar }, { ...storageDefaults, ...options });
  return {
    world,
    records,
    storage,
    async store(record) {
      const bytes = record instanceof Uint8Array ? record : record.bytes;
      return storeStatusName((await storage.accept(bytes, { source: '4:c00002' })).status);
    },
    pass: (seconds) => world.advance(seconds * 1000),
  };
}

/** What another author would write into the same name `days` from the beginning. */
function theirs(days: number): SignedRecord {
  return sampleName('alice', { by: authorKey(2), seq: 9n, issued: testNow + days * day });
}

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
  const { storage, store, records, pass, world } = bench();
  const record = sampleName('alice');
  assert.equal(await store(record), 'OK');
  const heldSinceMs = world.clock.unixMs();
  const [stored] = records.list(record.key);
  assert.ok(stored && equalBytes(stored.record.bytes, record.bytes));
  assert.deepEqual(
    [stored.heldSinceMs, stored.refreshedMs, stored.source, stored.provisional],
    [heldSinceMs, heldSinceMs, '4:c00002', false],
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
  const { store, storage } = bench();
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
  const { store } = bench({}, () => true);
  assert.equal(await store(sampleName('alice')), 'NOT_CLOSE');
});

test('the newest record of an author wins, an older one gets to see it', async () => {
  const { store, storage } = bench();
  const newer = sampleName('alice', { seq: 5n });
  assert.equal(await store(sampleName('alice', { seq: 4n })), 'OK');
  assert.equal(await store(newer), 'OK');
  const { status, conflicting } = await storage.accept(sampleName('alice', { seq: 4n }).bytes, {
    source: '',
  });
  assert.equal(storeStatusName(status), 'SEQ_OLD');
  assert.ok(conflicting && equalBytes(conflicting.bytes, newer.bytes));
  assert.equal(storage.totals.records, 1);
});

test('two records of one seq: all storers keep the same, whatever the order', async () => {
  const twins = [sampleName('alice', { expires: testNow + 100 }), sampleName('alice')];
  const kept: string[] = [];
  for (const order of [twins, twins.toReversed()]) {
    const { store, storage } = bench();
    for (const record of order) await store(record);
    kept.push(toHex(storage.list(order[0]?.key ?? self)[0]?.record.hash ?? self));
  }
  assert.equal(kept[0], kept[1]);
});

test('a name belongs to its first writer until 30 days after it expired', async () => {
  const { store, storage, pass, world } = bench();
  const mine = sampleName('alice', { expires: testNow + day });
  assert.equal(await store(mine), 'OK');
  const { status, conflicting } = await storage.accept(theirs(0).bytes, { source: '' });
  assert.equal(storeStatusName(status), 'NAME_TAKEN');
  assert.ok(conflicting && equalBytes(conflicting.bytes, mine.bytes));
  pass(30 * day);
  assert.equal(await store(theirs(30)), 'NAME_TAKEN', 'reserved');
  pass(day);
  assert.equal(await store(theirs(31)), 'OK', 'free');
  const [held] = storage.list(mine.key);
  assert.equal(held?.heldSinceMs, world.clock.unixMs(), 'the new holder holds it since now');
});

test('the owner may come back while an expired name is reserved', async () => {
  const { store, pass } = bench();
  assert.equal(await store(sampleName('alice', { expires: testNow + day })), 'OK');
  pass(20 * day);
  assert.equal(await store(sampleName('alice', { seq: 2n, issued: testNow + 20 * day })), 'OK');
});

test('a name that nobody refreshes is forgotten after two days, and free', async () => {
  const { store, storage, pass } = bench();
  const record = sampleName('alice');
  assert.equal(await store(record), 'OK');
  pass(2 * day);
  assert.deepEqual(storage.list(record.key), []);
  for (const held of storage.entries()) await storage.dropIfDue(held);
  assert.deepEqual(storage.totals, { records: 0, bytes: 0 });
  const other = sampleName('alice', { by: authorKey(2), issued: testNow + 2 * day });
  assert.equal(await store(other), 'OK');
});

test('a name given up is kept from others for seven days, and its old records stay away', async () => {
  const { store, pass } = bench();
  const name = sampleName('alice');
  assert.equal(await store(name), 'OK');
  assert.equal(await store(sampleNameTombstone('alice', { seq: 2n })), 'OK');
  assert.equal(await store(name), 'SEQ_OLD', 'an old record does not bring it back');
  pass(6 * day);
  assert.equal(await store(theirs(6)), 'NAME_TAKEN');
  pass(day);
  assert.equal(await store(theirs(7)), 'OK');
  assert.equal(await store(name), 'NAME_TAKEN');
});

test('withdrawals outlast the two days and end with the life of what they withdrew', async () => {
  const { store, storage, pass } = bench();
  const tombstone = sampleLinkTombstone('https://a.example/', { seq: 2n });
  assert.equal(await store(tombstone), 'OK');
  pass(29 * day);
  assert.equal(storage.list(tombstone.key).length, 1);
  pass(day);
  assert.equal(storage.list(tombstone.key).length, 0);
});

test('an author has four links per URL; taking one back makes room', async () => {
  const { store, storage } = bench();
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
  const { store, storage } = bench();
  for (const n of [1, 2, 3, 4, 5]) assert.equal(await store(gone(n)), 'OK');
  const issued = storage.list(gone(1).key).map(({ record }) => record.issued - testNow + 100);
  assert.deepEqual(
    issued.toSorted((a, b) => a - b),
    [2, 3, 4, 5],
  );
  assert.equal(storage.totals.records, 4);
});

test('a URL has 128 links of all authors', async () => {
  const { store } = bench();
  for (let n = 1; n <= 128; n++) assert.equal(await store(linkBy(n)), 'OK');
  assert.equal(await store(linkBy(129)), 'QUOTA_KEY');
  assert.equal(await store(sampleLink('https://b.example/', { by: authorKey(5) })), 'QUOTA_KEY');
});

test('content has 64 providers, each until it expires', async () => {
  const { store, storage, pass } = bench();
  for (let n = 1; n <= 64; n++) assert.equal(await store(providerBy(n)), 'OK');
  assert.equal(await store(providerBy(65)), 'QUOTA_KEY');
  pass(8 * hour);
  assert.deepEqual(storage.list(providerBy(1).key), []);
  assert.equal(await store(providerBy(65, testNow + 8 * hour)), 'OK', 'what expired takes no room');
});

test('when the budget is used up, what is farthest from us goes', async () => {
  const sample = sampleName('x0');
  const { store, storage } = bench({ recordBytesBudget: 10 * sample.bytes.length });
  const names = Array.from({ length: 30 }, (_, i) => sampleName(`x${i}`));
  const statuses: string[] = [];
  for (const record of names) statuses.push(await store(record));
  assert.ok(statuses.includes('QUOTA_TOTAL') && storage.totals.bytes <= 10 * sample.bytes.length);
  const kept = [...storage.entries()].map(({ stored }) => toHex(stored.record.key));
  const nearest = names.map(({ key }) => toHex(key)).toSorted(); // our ID is zero
  assert.deepEqual(kept.slice(0, 5), nearest.slice(0, 5));
});

test('what a run before left counts', async () => {
  const { records, store } = bench();
  await store(sampleName('alice'));
  await store(sampleName('bob'));
  const deps = { records, clock: manualWorld().clock, self, profile: testProfile };
  const later = new Storage({ ...deps, network: testNetwork, isTooFar: () => false });
  later.open();
  assert.equal(later.totals.records, 2);
});

test('of many claims at once the first wins, as if they came one by one', async () => {
  const { store, storage } = bench();
  const claims = [1, 2, 3, 4].map((n) => sampleName('alice', { by: authorKey(n) }));
  const statuses = await Promise.all(claims.map((claim) => store(claim)));
  assert.deepEqual(statuses, ['OK', 'NAME_TAKEN', 'NAME_TAKEN', 'NAME_TAKEN']);
  assert.equal(storage.totals.records, 1);
});

test('more writes at a time than it can take are refused', async () => {
  const { store } = bench({ writesMax: 1 });
  const statuses = await Promise.all([store(sampleName('alice')), store(sampleName('bob'))]);
  assert.deepEqual(statuses, ['OK', 'RATE']);
});
