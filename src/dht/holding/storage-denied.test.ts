import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  authorKey,
  sampleLink,
  sampleName,
  sampleNameTombstone,
  sampleProvider,
} from '../../../test/support/dht-samples.ts';
import { homeSource, storageBench } from '../../../test/support/storage-bench.ts';
import type { SignedRecord } from '../../record/envelope.ts';
import type { RecordDenial } from '../rules/denial.ts';
import { handOffPage } from './hand-off.ts';

/** Denies this very record. */
const only =
  (denied: SignedRecord, denial: RecordDenial) =>
  (record: SignedRecord): RecordDenial | undefined =>
    record.hash.join() === denied.hash.join() ? denial : undefined;

test('what is denied is not taken, however it comes', async () => {
  for (const record of [sampleName('alice'), sampleProvider(1), sampleLink('ipfs://x')]) {
    for (const denial of ['subject', 'target'] as const) {
      const bench = storageBench();
      bench.denies = only(record, denial);
      assert.equal(await bench.store(record), 'REVOKED');
      assert.equal(await bench.storage.adopt(record, { source: homeSource }), false);
      assert.deepEqual(bench.storage.totals, { records: 0, bytes: 0 });
      bench.denies = undefined;
      assert.match(await bench.store(record), /^OK/, 'and again once it is allowed');
    }
  }
});

test('what is held and denied then is shown to nobody, and goes', async () => {
  for (const record of [sampleName('alice'), sampleProvider(1), sampleLink('ipfs://x')]) {
    const bench = storageBench();
    await bench.store(record);
    const [held] = bench.storage.entries();
    assert.ok(held);
    bench.denies = only(record, 'subject');
    assert.deepEqual(bench.storage.list(record.key), []);
    assert.equal(bench.storage.isGiven(held.stored), false);
    assert.equal(await bench.store(record), 'REVOKED', 'nor refreshed');
    const page = handOffPage(record.key, new Uint8Array(48), {
      storage: bench.storage,
      isAmongNearest: () => true,
      sigmaSize: () => ({ radius: 1, least: 20, most: 20 }),
    });
    assert.deepEqual(page.entries, [], 'nor named to a neighbour');
    await bench.storage.dropIfDue(held);
    assert.deepEqual(bench.storage.totals, { records: 0, bytes: 0 });
  }
});

test('a name that leads to what is denied stays its holder’s, unseen', async () => {
  const bench = storageBench();
  const name = sampleName('alice');
  await bench.store(name);
  bench.denies = only(name, 'target');
  const [held] = bench.storage.entries();
  assert.ok(held);
  await bench.storage.dropIfDue(held);
  assert.deepEqual(bench.storage.list(name.key), []);
  assert.equal(bench.storage.totals.records, 1);
  assert.equal(await bench.store(name), 'REVOKED', 'it is not refreshed either');
  const other = sampleName('alice', { by: authorKey(2), seq: 9n });
  const { status: _, ...shown } = await bench.accept(other);
  assert.equal(await bench.store(other), 'REVOKED');
  assert.deepEqual(shown, {}, 'without what stands in the way');
  assert.equal(await bench.store(sampleName('alice', { seq: 2n })), 'OK_PROVISIONAL');
  assert.equal(bench.storage.list(name.key).length, 1, 'its holder may let it show another site');
});

test('a link that leads to what is denied goes', async () => {
  const bench = storageBench();
  const link = sampleLink('ipfs://x');
  await bench.store(link);
  bench.denies = only(link, 'target');
  const [held] = bench.storage.entries();
  assert.ok(held);
  await bench.storage.dropIfDue(held);
  assert.equal(bench.storage.totals.records, 0);
});

test('a withdrawal is taken as long as it is not denied itself', async () => {
  const bench = storageBench();
  const name = sampleName('alice');
  await bench.store(name);
  bench.denies = (record) => (record.tombstone ? undefined : 'subject');
  assert.match(await bench.store(sampleNameTombstone('alice', { seq: 2n })), /^OK/);
});
