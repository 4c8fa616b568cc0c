import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  authorKey,
  nodeKey,
  sampleLink,
  sampleName,
  sampleProvider,
  testNetwork,
  testNow,
} from '../../../test/support/dht-samples.ts';
import { manualWorld } from '../../../test/support/manual-world.ts';
import { benchSelf, internetSource, storageBench } from '../../../test/support/storage-bench.ts';
import { compareBytes, toHex } from '../../base/bytes.ts';
import type { SignedRecord } from '../../record/envelope.ts';
import { recordKinds } from '../../record/kinds.ts';
import { makeNameRecord, parseName } from '../../record/name.ts';
import { prefixNumber } from '../distance.ts';
import { Ledger } from './ledger.ts';
import { dropAtMs } from './keeping.ts';
import type { StoredRecord } from '../ports.ts';

function linkBy(n: number, target = `https://${n}.example/`): SignedRecord {
  return sampleLink(target, { by: authorKey(n) });
}

test('an author has so many records here, and no more; changing them is free', async () => {
  const { store } = storageBench({ authorRecordsMax: 3 });
  for (const label of ['a1', 'a2', 'a3']) await store(sampleName(label));
  assert.equal(await store(sampleName('a4')), 'QUOTA_AUTHOR');
  assert.equal(await store(sampleName('a3', { seq: 2n })), 'OK_PROVISIONAL');
  assert.equal(await store(sampleName('a4', { by: authorKey(2) })), 'OK_PROVISIONAL');
  assert.equal(await store(sampleName('a5'), ''), 'OK_PROVISIONAL', 'our own user');
});

test('a network of the Internet has so many records here; a home network is not counted', async () => {
  const { store } = storageBench({ sourceRecordsMax: 3 });
  const one = internetSource(1);
  for (let n = 1; n <= 3; n++) await store(sampleName(`n${n}`, { by: authorKey(n) }), one);
  const fourth = sampleName('n4', { by: authorKey(4) });
  assert.equal(await store(fourth, one), 'QUOTA_NET');
  assert.equal(await store(fourth, internetSource(2)), 'OK_PROVISIONAL');
  for (let n = 5; n <= 12; n++) {
    assert.equal(await store(sampleName(`n${n}`, { by: authorKey(n) })), 'OK_PROVISIONAL');
  }
});

test('who stores too fast is told how long to wait', async () => {
  const { accept, store, pass } = storageBench({ sourceStoresPerMinute: 2 });
  const source = internetSource(1);
  await store(sampleName('a'), source);
  pass(20);
  await store(sampleName('b'), source);
  const { status, detail } = await accept(sampleName('c'), source);
  assert.deepEqual([status, detail], [34, 40]);
  assert.equal(await store(sampleName('c'), internetSource(2)), 'OK_PROVISIONAL');
  pass(40);
  assert.equal(await store(sampleName('d'), source), 'OK_PROVISIONAL');
});

test('what we asked for does not count as a STORE of who gives it', async () => {
  const { storage } = storageBench({ sourceStoresPerMinute: 1 });
  for (const label of ['a', 'b', 'c']) {
    const source = `sync ${internetSource(1)}`;
    const { status } = await storage.accept(sampleName(label).bytes, { source });
    assert.equal(status, 1);
  }
});

test('one network has eight links of a URL', async () => {
  const { store } = storageBench();
  const one = internetSource(1);
  for (let n = 1; n <= 8; n++) assert.equal(await store(linkBy(n), one), 'OK');
  assert.equal(await store(linkBy(9), one), 'QUOTA_NET');
  assert.equal(await store(linkBy(9), internetSource(2)), 'OK');
});

test('a full URL: who has least makes who has most give way, and nobody else', async () => {
  const { store, storage, pass } = storageBench();
  for (let n = 1; n <= 125; n++) await store(linkBy(n), internetSource(n));
  const greedy = (i: number): SignedRecord => linkBy(200, `https://g${i}.example/`);
  for (let i = 1; i <= 3; i++) {
    pass(1);
    await store(greedy(i), internetSource(200 + i));
  }
  const held = (record: SignedRecord): boolean =>
    storage.list(record.key).some((stored) => toHex(stored.record.hash) === toHex(record.hash));
  assert.equal(await store(linkBy(301), internetSource(301)), 'OK', 'a newcomer');
  assert.deepEqual(
    [1, 2, 3].map((i) => held(greedy(i))),
    [true, true, false],
    'the newest went',
  );
  assert.equal(await store(greedy(3), internetSource(203)), 'QUOTA_KEY', 'it would be largest');
  assert.equal(await store(linkBy(302), internetSource(302)), 'OK');
  assert.equal(await store(linkBy(303), internetSource(303)), 'QUOTA_KEY', 'all have one now');
  assert.equal(storage.list(greedy(1).key).length, 128);
});

test('a kind may use what others leave, and gives it back when they come', async () => {
  const size = sampleLink('https://00.example/').bytes.length;
  const { store, storage } = storageBench({ recordBytesBudget: 20 * size });
  const links = Array.from({ length: 20 }, (_, i) => linkBy(i + 1, `https://${10 + i}.example/`));
  for (const link of links) assert.equal(await store(link), 'OK');
  const names = Array.from({ length: 30 }, (_, i) => sampleName(`name-${10 + i}`));
  for (const name of names) await store(name);
  const bytesOf = (kind: number): number =>
    [...storage.entries()]
      .filter(({ stored }) => stored.record.kind === kind)
      .reduce((sum, { stored }) => sum + stored.record.bytes.length, 0);
  assert.ok(storage.totals.bytes <= 20 * size);
  const nameShare = bytesOf(recordKinds.name) / (20 * size);
  assert.ok(nameShare > 0.5 && nameShare < 0.75, `${nameShare}`); // 5 : 3 of what is there
  assert.ok(bytesOf(recordKinds.link) / (20 * size) > 0.25);
});

test('what would be the first to go is refused before its signature is looked at', async () => {
  const size = sampleName('x10').bytes.length;
  const { store } = storageBench({ recordBytesBudget: 5 * size });
  const names = Array.from({ length: 40 }, (_, i) => sampleName(`x${10 + i}`)).toSorted((a, b) =>
    compareBytes(a.key, b.key),
  );
  for (const name of names.slice(0, 5)) assert.equal(await store(name), 'OK_PROVISIONAL');
  for (const name of names.slice(5)) {
    const forged = name.bytes.slice();
    forged.fill(0, forged.length - 64);
    assert.equal(await store(forged), 'QUOTA_TOTAL');
  }
});

test('when it is full, what is due goes first, however near', async () => {
  const size = sampleProvider(1).bytes.length;
  const { store, storage, pass } = storageBench({ recordBytesBudget: 4 * size });
  for (let n = 1; n <= 4; n++) {
    await store(sampleProvider(n, { by: nodeKey(n) }));
    pass(3600);
  }
  pass(4.5 * 3600); // the first is due, the second nearly
  const first = sampleProvider(1);
  const later = sampleProvider(5, { by: nodeKey(5), issued: first.issued + 8 * 3600 });
  assert.equal(await store(later), 'OK');
  assert.equal(storage.list(first.key).length, 0);
  assert.equal(storage.totals.records, 4);
});

test('the counts are exact after whatever came and went', async () => {
  const { store, storage, records, pass, world } = storageBench({ recordBytesBudget: 6000 });
  for (let n = 0; n < 60; n++) {
    await store(sampleName(`n${n % 17}`, { seq: BigInt(n + 1), by: authorKey(n % 5) }));
    await store(linkBy(n % 7), internetSource(n % 3));
    await store(sampleProvider(n, { issued: Math.floor(world.clock.unixMs() / 1000) }));
    pass(600);
    if (n % 10 === 0) for (const held of storage.entries()) await storage.dropIfDue(held);
  }
  const fresh = new Ledger(benchSelf);
  const all: StoredRecord[] = [...records.entries()].map(({ stored }) => stored);
  for (const stored of all) fresh.add(stored);
  assert.deepEqual(storage.totals, fresh.totals);
  assert.ok(fresh.totals.records > 5);
  for (const stored of all) fresh.remove(stored);
  assert.deepEqual(fresh.totals, { records: 0, bytes: 0 });
  assert.deepEqual([fresh.dueFirst(), fresh.farthestOf('names')], [undefined, -1]);
  assert.equal(fresh.ofSource(internetSource(1)), 0);
});

test('the ledger knows who goes next', () => {
  const ledger = new Ledger(benchSelf);
  const nowMs = manualWorld().clock.unixMs();
  const stored = (record: SignedRecord): StoredRecord => {
    const times = { heldSinceMs: nowMs, refreshedMs: nowMs };
    return { record, ...times, provisional: false, source: '' };
  };
  const [near, far] = [sampleName('a'), sampleName('b')].toSorted((a, b) =>
    compareBytes(a.key, b.key),
  );
  assert.ok(near && far);
  ledger.add(stored(far));
  ledger.add(stored(near));
  const provider = sampleProvider(1);
  ledger.add(stored(provider));
  assert.equal(ledger.farthestOf('names'), prefixNumber(far.key));
  assert.deepEqual(ledger.dueFirst(), {
    rank: dropAtMs(stored(provider)),
    mark: prefixNumber(provider.key),
  });
  assert.equal(ledger.ofAuthor(near.author), 2);
});

test('who gives way goes only when the newcomer is on the disk', async () => {
  const { store, storage, records } = storageBench();
  for (let n = 1; n <= 126; n++) await store(linkBy(n), internetSource(n));
  const greedy = (i: number): SignedRecord => linkBy(200, `https://g${i}.example/`);
  for (let i = 1; i <= 2; i++) await store(greedy(i), internetSource(200 + i));
  const before = storage.totals;
  const put = records.put.bind(records);
  records.put = () => Promise.reject(new Error('disk full'));
  await assert.rejects(store(linkBy(301), internetSource(301)), /disk full/);
  records.put = put;
  assert.equal(storage.list(greedy(1).key).length, 128, 'nothing is lost');
  assert.deepEqual(storage.totals, before);
  assert.equal(await store(linkBy(301), internetSource(301)), 'OK');
  assert.equal(storage.list(greedy(1).key).length, 128);
});

test('what others hold instead needs room like any other record', async () => {
  const size = sampleName('x10').bytes.length;
  const { store, storage } = storageBench({ recordBytesBudget: 5 * size });
  const names = Array.from({ length: 6 }, (_, i) => {
    const label = `x${10 + i}`;
    return { label, record: sampleName(label) };
  }).toSorted((a, b) => compareBytes(a.record.key, b.record.key));
  const [nearest] = names;
  const farthest = names.pop();
  assert.ok(nearest && farthest);
  for (const { record } of names) assert.equal(await store(record), 'OK_PROVISIONAL');
  const witness = { source: internetSource(1) };
  assert.equal(await storage.adopt(farthest.record, witness), false, 'it would be the first to go');
  const body = parseName(nearest.record);
  assert.ok(body);
  const signer = { key: authorKey(2), network: testNetwork };
  const longer = makeNameRecord(
    { ...body, zoneFile: body.root },
    { seq: 1n, issued: testNow },
    signer,
  );
  assert.equal(await storage.adopt(longer, witness), true);
  assert.equal(storage.list(longer.key).length, 1);
  assert.ok(storage.totals.bytes <= 5 * size, 'something made room for what is longer');
});
