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
} from '../../../test/support/dht-samples.ts';
import { hourMs, publisherBench, taken, unheard } from '../../../test/support/publisher-bench.ts';
import { tinyContact } from '../../../test/support/tiny-contact.ts';
import { isAuthentic, type SignedRecord } from '../../record/envelope.ts';
import { recordKinds, type StoreStatus, storeStatuses } from '../../record/kinds.ts';
import { slotOf } from '../../record/registry.ts';
import { encodeRevocation, makeRevocationsRecord } from '../../record/revocations.ts';
import type { StoreResult } from './storing.ts';

test('what is published is written down before it is stored', async () => {
  const it = publisherBench();
  const record = sampleName('alice');
  it.result = unheard;
  const publishing = it.publisher.publish(record);
  assert.deepEqual(it.journal.list(), [{ record, publishedMs: 0 }]);
  assert.equal((await publishing).stored, 0);
  it.result = taken;
  await it.publisher.publish(record);
  assert.deepEqual(it.journal.list(), [{ record, publishedMs: it.world.clock.unixMs() }]);
});

test('each kind is stored again at its interval', async () => {
  const it = publisherBench();
  await it.publisher.start();
  await it.publisher.publish(sampleName('alice'));
  await it.publisher.publish(sampleProvider(1));
  it.stored.length = 0;
  await it.passHours(24);
  const times = (kind: number): number => it.stored.filter((record) => record.kind === kind).length;
  assert.ok(times(recordKinds.name) >= 1 && times(recordKinds.name) <= 2, 'every 9.6 to 12 hours');
  assert.ok(times(recordKinds.provider) >= 7, 'every 2.4 to 3 hours');
  await it.publisher.stop();
  assert.equal(it.world.pendingTimers(), 0);
});

test('what is denied is stored no more, for as long as it is', async () => {
  const it = publisherBench();
  await it.publisher.start();
  await it.publisher.publish(sampleName('alice'));
  await it.publisher.publish(sampleProvider(1));
  it.denies = ({ kind }) => kind === recordKinds.name;
  it.stored.length = 0;
  await it.passHours(48);
  assert.ok(it.stored.length > 0);
  assert.ok(it.stored.every(({ kind }) => kind === recordKinds.provider));
  it.denies = () => false;
  await it.passHours(1);
  assert.ok(it.stored.some(({ kind }) => kind === recordKinds.name));
  await it.publisher.stop();
});

test('a list of revocations is not signed anew by who only keeps it alive', async () => {
  const it = publisherBench();
  const issued = Math.floor(it.world.clock.unixMs() / 1000);
  const recent = encodeRevocation({ type: 1, target: new Uint8Array(32), undo: false });
  const body = { count: 1, nextUpdate: issued + 43_200, recent };
  const signer = { key: authorKey(1), network: testNetwork };
  const record = makeRevocationsRecord(body, { seq: 1n, issued }, signer);
  await it.publisher.start();
  await it.publisher.publish(record);
  await it.passHours(6 * 24);
  assert.ok(it.stored.length > 20, 'every six hours');
  assert.ok(it.stored.every((stored) => stored === record));
  await it.passHours(48);
  assert.deepEqual(it.journal.list(), [], 'it has expired');
  await it.publisher.stop();
});

test('what nobody took is tried again, ever less often', async () => {
  const it = publisherBench();
  it.result = unheard;
  await it.publisher.start();
  await it.publisher.publish(sampleName('alice'));
  await it.passHours(6);
  const early = it.stored.length;
  assert.ok(early >= 5 && early <= 14, `${early} tries`);
  it.result = taken;
  await it.passHours(2);
  assert.equal(it.stored.length, early + 1, 'then it rests');
  await it.publisher.stop();
});

test('what very few took is tried again: one may lie, and one is soon lost', async () => {
  const it = publisherBench();
  it.result = { ...taken, stored: 4 };
  await it.publisher.start();
  await it.publisher.publish(sampleName('alice'));
  assert.ok((it.journal.list()[0]?.publishedMs ?? 0) > 0, 'it is published, though');
  it.result = { ...taken, stored: 5 };
  await it.passHours(1);
  assert.equal(it.stored.length, 2);
  await it.passHours(5);
  assert.equal(it.stored.length, 2, 'a quarter is enough to rest');
  await it.publisher.stop();
});

test('without peers nothing is tried; with the first ones, soon', async () => {
  const it = publisherBench();
  it.contacts = 0;
  it.result = { ...taken, stored: 1, holders: [] }; // ourselves only
  await it.publisher.start();
  await it.publisher.publish(sampleName('alice'));
  await it.passHours(1);
  assert.equal(it.stored.length, 1);
  it.contacts = 1;
  it.result = taken;
  await it.world.advanceAsync(10_000);
  assert.equal(it.stored.length, 2);
  await it.publisher.stop();
});

test('what an earlier run left is taken up: too old is stored, fresh is left alone', async () => {
  const it = publisherBench();
  const nowMs = it.world.clock.unixMs();
  const [old, fresh] = [sampleName('old'), sampleName('fresh')];
  await it.journal.put(slotOf(old), { record: old, publishedMs: nowMs - 13 * hourMs });
  await it.journal.put(slotOf(fresh), { record: fresh, publishedMs: nowMs - hourMs });
  await it.publisher.start();
  await it.world.advanceAsync(8000);
  assert.deepEqual(it.stored, [old], 'soon');
  await it.world.advanceAsync(90_000);
  assert.deepEqual(it.stored, [old]);
  await it.publisher.stop();
});

test('past half of its life a record is signed anew, one version up, by the key it has', async () => {
  const it = publisherBench();
  await it.publisher.start();
  const name = sampleName('alice', { powNonce: new Uint8Array(8).fill(7) });
  await it.publisher.publish(name);
  await it.publisher.publish(sampleProvider(1));
  await it.passHours(5);
  const [provider] = it.publisher.list(recordKinds.provider);
  assert.ok(provider);
  assert.equal(provider.record.seq, 2n);
  assert.equal(provider.record.expires - provider.record.issued, 8 * 3600);
  assert.ok(isAuthentic(provider.record, testNetwork));
  assert.equal(it.publisher.list(recordKinds.name)[0]?.record.seq, 1n);

  await it.publisher.stop();
  const later = publisherBench();
  await later.journal.put(slotOf(name), { record: name, publishedMs: later.world.clock.unixMs() });
  later.world.advance(100 * 24 * hourMs); // the node was off until after the end
  await later.publisher.start();
  await later.passHours(1);
  const [renewed] = later.publisher.list();
  assert.ok(renewed);
  assert.deepEqual(
    [renewed.record.seq, renewed.record.body, renewed.record.powNonce],
    [2n, name.body, name.powNonce],
  );
  assert.ok(renewed.record.expires * 1000 > later.world.clock.unixMs());
  assert.deepEqual(later.stored, [renewed.record]);
  await later.publisher.stop();
});

test('an expired record of a key that is not here is dropped; until then it is kept alive', async () => {
  const it = publisherBench();
  const foreign = sampleProvider(1, { by: nodeKey(9) });
  await it.journal.put(slotOf(foreign), { record: foreign, publishedMs: 0 });
  await it.publisher.start();
  await it.passHours(7);
  assert.ok(it.stored.length >= 2 && it.stored.every(({ seq }) => seq === 1n));
  await it.passHours(2);
  assert.deepEqual(it.journal.list(), []);
  await it.publisher.stop();
});

test('a withdrawal takes the place of its record, is not listed, and ends by itself', async () => {
  const it = publisherBench();
  await it.publisher.start();
  const target = 'https://a.example/';
  await it.publisher.publish(sampleLink(target));
  assert.equal(it.publisher.list(recordKinds.link).length, 1);
  await it.publisher.withdraw(sampleLinkTombstone(target, { seq: 2n }));
  assert.deepEqual(it.publisher.list(), []);
  assert.equal(it.journal.list().length, 1);
  it.stored.length = 0;
  await it.passHours(31 * 24);
  assert.deepEqual(it.journal.list(), []);
  assert.ok(
    it.stored.length > 50 && it.stored.every(({ seq, tombstone }) => tombstone && seq === 2n),
  );
  await it.publisher.stop();
});

function refused(
  status: StoreStatus,
  { conflicting, stored, count = 1 }: { conflicting: SignedRecord; stored: number; count?: number },
): StoreResult {
  const refusals = [{ status, count, conflicting: [conflicting] }];
  return { stored, asked: 20, refusals, holders: stored > 0 ? [tinyContact(1)] : [] };
}

test('a name is given up when most say that it is another’s, and not before', async () => {
  const it = publisherBench();
  const name = sampleName('alice');
  const conflicting = sampleName('alice', { by: authorKey(2) });
  for (const [stored, count] of [
    [11, 9],
    [0, 1],
    [0, 10],
  ] as const) {
    it.result = refused(storeStatuses.NAME_TAKEN, { conflicting, stored, count });
    await it.publisher.publish(name);
    assert.equal(it.journal.list().length, 1, `${count} of 20`);
  }
  it.result = refused(storeStatuses.NAME_TAKEN, { conflicting, stored: 0, count: 11 });
  await it.publisher.publish(name);
  assert.deepEqual(it.journal.list(), []);
});

test('a newer record of the author takes the place of what was published here', async () => {
  const it = publisherBench();
  const newer = sampleName('alice', { seq: 2n });
  it.result = refused(storeStatuses.SEQ_OLD, { conflicting: newer, stored: 5 });
  await it.publisher.publish(sampleName('alice'));
  const kept = (): SignedRecord[] => it.journal.list().map(({ record }) => record);
  assert.deepEqual(kept(), [newer]);
  it.result = taken;
  const again = await it.publisher.publish(sampleName('alice'));
  assert.deepEqual(again.refusals[0]?.conflicting, [newer], 'an older one is refused at once');
  assert.deepEqual(kept(), [newer]);
  it.result = refused(storeStatuses.SEQ_OLD, { conflicting: sampleName('alice'), stored: 5 });
  await it.publisher.publish(newer);
  assert.deepEqual(kept(), [newer], 'an older one is no reason');
});

test('what was signed by a clock far ahead is signed anew when the clock is right', async () => {
  const it = publisherBench();
  const year = 365 * 86_400;
  const nowMs = it.world.clock.unixMs();
  const ahead = sampleName('alice', { issued: Math.floor(nowMs / 1000) + year });
  const withdrawn = sampleLinkTombstone('https://a.example/', { issued: ahead.issued });
  const early = sampleName('early');
  const publishedMs = nowMs + year * 1000;
  for (const record of [ahead, withdrawn, early]) {
    await it.journal.put(slotOf(record), { record, publishedMs });
  }
  await it.publisher.start();
  await it.passHours(1);
  const nowSeconds = it.world.clock.unixMs() / 1000;
  assert.deepEqual(
    it.stored.map(({ seq, tombstone, issued }) => [seq, tombstone, issued <= nowSeconds]),
    [
      [1n, false, true],
      [2n, false, true],
      [2n, true, true],
    ],
  );
  await it.publisher.stop();
});

test('a record that was replaced while it was being stored does not come back', async () => {
  const it = publisherBench();
  const [older, newer] = [sampleName('alice'), sampleName('alice', { seq: 2n })];
  const first = it.publisher.publish(older);
  const second = it.publisher.publish(newer);
  await Promise.all([first, second]);
  assert.deepEqual(
    it.journal.list().map(({ record }) => record.seq),
    [2n],
  );
});

test('a signal that has aborted leaves nothing behind', async () => {
  const it = publisherBench();
  const signal = AbortSignal.abort(new Error('no'));
  await assert.rejects(it.publisher.publish(sampleName('alice'), { signal }), /no/);
  assert.deepEqual(it.journal.list(), []);
});

test('where there is no room for it, a record is offered seldom', async () => {
  const it = publisherBench();
  const refusals = [{ status: storeStatuses.QUOTA_AUTHOR, count: 20, conflicting: [] }];
  it.result = { ...unheard, refusals };
  await it.publisher.start();
  await it.publisher.publish(sampleName('alice'));
  await it.passHours(24);
  assert.ok(it.stored.length >= 4 && it.stored.length <= 7, `${it.stored.length} tries in a day`);
  await it.publisher.stop();
});

test('who says when to come back is asked then, also when some took the record', async () => {
  const it = publisherBench();
  const refusals = [{ status: storeStatuses.RATE, count: 19, conflicting: [], detail: 600 }];
  it.result = { ...taken, stored: 1, refusals };
  await it.publisher.start();
  await it.publisher.publish(sampleName('alice'));
  await it.world.advanceAsync(9 * 60_000);
  assert.equal(it.stored.length, 1);
  it.result = taken;
  await it.world.advanceAsync(4 * 60_000);
  assert.equal(it.stored.length, 2);
  await it.passHours(6);
  assert.equal(it.stored.length, 2, 'then it rests until its interval');
  await it.publisher.stop();
});

test('no storer makes a publisher wait for longer than it would by itself', async () => {
  for (const count of [1, 19]) {
    const it = publisherBench();
    const refusals = [{ status: storeStatuses.RATE, count, conflicting: [], detail: 65_535 }];
    it.result = { ...unheard, refusals };
    await it.publisher.start();
    await it.publisher.publish(sampleName('alice'));
    it.result = taken;
    await it.world.advanceAsync(count === 1 ? 4 * 60_000 : 65 * 60_000);
    assert.equal(it.stored.length, 2, `${count} of 20 wanted 18 hours`);
    await it.publisher.stop();
  }
});

test('an update while a record is being renewed is not undone by the renewal', async () => {
  const it = publisherBench();
  const nowMs = it.world.clock.unixMs();
  const old = sampleName('alice', { issued: Math.floor(nowMs / 1000) - 60 * 24 * 3600 });
  await it.journal.put(slotOf(old), { record: old, publishedMs: nowMs });
  // Equal seq, and of two such records either may win: try some.
  for (let n = 0; n < 8; n++) {
    const update = sampleName('alice', { seq: 2n, issued: Math.floor(nowMs / 1000) - n });
    const put = it.journal.put.bind(it.journal);
    it.journal.put = async (slot, published) => {
      it.journal.put = put;
      await Promise.resolve(); // a write takes a moment, in which the round begins
      await it.publisher.start();
      await it.world.advanceAsync(80_000);
      await put(slot, published);
    };
    await it.publisher.publish(update);
    await it.world.advanceAsync(80_000);
    assert.deepEqual(it.journal.list()[0]?.record.hash, update.hash);
    await put(slotOf(old), { record: old, publishedMs: nowMs });
  }
  await it.publisher.stop();
});
