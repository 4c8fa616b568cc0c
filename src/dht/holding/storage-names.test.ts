import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CID } from 'multiformats/cid';
import { create } from 'multiformats/hashes/digest';
import {
  authorKey,
  sampleName,
  sampleNameTombstone,
  testNetwork,
  testNow,
} from '../../../test/support/dht-samples.ts';
import { storageBench, type StorageBench } from '../../../test/support/storage-bench.ts';
import { equalBytes, toHex } from '../../base/bytes.ts';
import { seqOf, type SignedRecord } from '../../record/envelope.ts';
import { storeStatusName } from '../../record/kinds.ts';
import { makeNameRecord, makeNameTombstone, type NameBody } from '../../record/name.ts';
import { signTransfer } from '../../record/transfer.ts';
import { type Certificate, signCertificate } from '../../record/zone.ts';

const hour = 3600;
const day = 24 * hour;
const root = CID.createV1(0x55, create(0x12, new Uint8Array(32).fill(1)));

/** What another author would write into the same name `days` from the beginning. */
function theirs(days: number): SignedRecord {
  return sampleName('alice', { by: authorKey(2), seq: 9n, issued: testNow + days * day });
}

/** alice.alt by author `to`, who shows that author `from` signed it over. */
function handedOver(
  from: number,
  { to, epoch, seq, forged = false }: { to: number; epoch: number; seq?: bigint; forged?: boolean },
): SignedRecord {
  const signer = { key: authorKey(from), network: testNetwork };
  const newOwner = authorKey(to).publicKey;
  const terms = { label: 'alice', newOwner, newEpoch: epoch, notAfter: testNow + day };
  const { newOwner: _, ...offer } = signTransfer(terms, signer);
  const signature = forged ? new Uint8Array(64).fill(1) : offer.signature;
  const transfers = [{ ...offer, signature, prevOwner: authorKey(from).publicKey }];
  const body: NameBody = { label: 'alice', root, transfers };
  const stamp = { seq: seq ?? seqOf(epoch, 1), issued: testNow };
  return makeNameRecord(body, stamp, { key: authorKey(to), network: testNetwork });
}

function holderOf({ records }: StorageBench, { key }: SignedRecord): string {
  return toHex(records.list(key)[0]?.record.author ?? new Uint8Array());
}

function author(n: number): string {
  return toHex(authorKey(n).publicKey);
}

test('a fresh claim is held provisionally until it is confirmed', async () => {
  const { store, storage, claims, records } = storageBench();
  const name = sampleName('alice');
  assert.equal(await store(name), 'OK_PROVISIONAL');
  assert.deepEqual(
    claims.map(({ key }) => toHex(key)),
    [toHex(name.key)],
  );
  assert.equal(await store(sampleName('alice', { seq: 2n })), 'OK_PROVISIONAL');
  const [held] = records.list(name.key);
  assert.ok(held?.provisional);
  await storage.confirm(held.record);
  assert.equal(records.list(name.key)[0]?.provisional, false);
  assert.equal(await store(sampleName('alice', { seq: 3n })), 'OK', 'and so are its updates');
});

test('what was confirmed is not what stands there now: nothing changes', async () => {
  const { store, storage, records } = storageBench();
  const older = sampleName('alice');
  await store(older);
  await store(sampleName('alice', { seq: 2n }));
  await storage.confirm(older);
  assert.equal(records.list(older.key)[0]?.provisional, true);
});

test('a name belongs to its first writer until 30 days after it expired', async () => {
  const { store, accept, storage, pass, world } = storageBench();
  const mine = sampleName('alice', { expires: testNow + day });
  assert.equal(await store(mine), 'OK_PROVISIONAL');
  await storage.confirm(mine);
  const { status, conflicting } = await accept(theirs(0));
  assert.equal(storeStatusName(status), 'NAME_TAKEN');
  assert.ok(conflicting && equalBytes(conflicting.bytes, mine.bytes));
  pass(30 * day);
  assert.equal(await store(theirs(30)), 'NAME_TAKEN', 'reserved');
  pass(day);
  assert.equal(await store(theirs(31)), 'OK_PROVISIONAL', 'free');
  const [held] = storage.list(mine.key);
  assert.equal(held?.heldSinceMs, world.clock.unixMs(), 'the new holder holds it since now');
});

test('the owner may come back while an expired name is reserved', async () => {
  const { store, storage, pass } = storageBench();
  const name = sampleName('alice', { expires: testNow + day });
  assert.equal(await store(name), 'OK_PROVISIONAL');
  await storage.confirm(name);
  pass(20 * day);
  assert.equal(await store(sampleName('alice', { seq: 2n, issued: testNow + 20 * day })), 'OK');
});

test('a name that nobody refreshes is forgotten after two days, and free', async () => {
  const { store, storage, pass } = storageBench();
  const record = sampleName('alice');
  assert.equal(await store(record), 'OK_PROVISIONAL');
  pass(2 * day);
  assert.deepEqual(storage.list(record.key), []);
  for (const held of storage.entries()) await storage.dropIfDue(held);
  assert.deepEqual(storage.totals, { records: 0, bytes: 0 });
  const other = sampleName('alice', { by: authorKey(2), issued: testNow + 2 * day });
  assert.equal(await store(other), 'OK_PROVISIONAL');
});

test('a name given up is kept from others for seven days, and its old records stay away', async () => {
  const { store, storage, pass } = storageBench();
  const name = sampleName('alice');
  assert.equal(await store(name), 'OK_PROVISIONAL');
  await storage.confirm(name);
  assert.equal(await store(sampleNameTombstone('alice', { seq: 2n })), 'OK');
  assert.equal(await store(name), 'SEQ_OLD', 'an old record does not bring it back');
  pass(6 * day);
  assert.equal(await store(theirs(6)), 'NAME_TAKEN');
  pass(day);
  assert.equal(await store(theirs(7)), 'OK_PROVISIONAL');
  assert.equal(await store(name), 'NAME_TAKEN');
});

test('who gives up a name that never was confirmed as its own frees it at once', async () => {
  const bench = storageBench();
  assert.equal(await bench.store(sampleName('alice')), 'OK_PROVISIONAL');
  assert.equal(await bench.store(sampleNameTombstone('alice', { seq: 2n })), 'OK_PROVISIONAL');
  assert.equal(await bench.store(sampleName('alice')), 'SEQ_OLD');
  assert.equal(await bench.store(theirs(0)), 'OK_PROVISIONAL');
  assert.equal(holderOf(bench, theirs(0)), author(2));
});

test('who comes back to a name that was free by then is as new to it as anybody', async () => {
  const { store, storage, pass, world, records } = storageBench();
  const since = (): readonly unknown[] =>
    records
      .list(sampleName('alice').key)
      .map(({ heldSinceMs, provisional }) => [heldSinceMs, provisional]);
  const mine = (seq: bigint, days: number): SignedRecord =>
    sampleName('alice', { seq, issued: testNow + days * day });
  await store(mine(1n, 0));
  await storage.confirm(mine(1n, 0));
  pass(hour);
  assert.equal(await store(mine(2n, 0)), 'OK');
  assert.deepEqual(since(), [[world.clock.unixMs() - hour * 1000, false]], 'an update is the same');
  await store(sampleNameTombstone('alice', { seq: 3n }));
  pass(8 * day);
  assert.equal(await store(mine(4n, 8)), 'OK_PROVISIONAL');
  assert.deepEqual(since(), [[world.clock.unixMs(), true]], 'withdrawn, and long enough ago');
  pass(hour);
  await store(sampleNameTombstone('alice', { seq: 5n, issued: testNow + 8 * day }));
  assert.equal(await store(mine(6n, 8)), 'OK_PROVISIONAL');
  assert.deepEqual(since(), [[world.clock.unixMs(), true]], 'withdrawn before it was confirmed');
  await storage.confirm(mine(6n, 8));
  pass(2 * day);
  assert.equal(await store(mine(6n, 8)), 'OK_PROVISIONAL');
  assert.deepEqual(since(), [[world.clock.unixMs(), true]], 'forgotten, though not yet swept');
  assert.deepEqual(storage.totals.records, 1);
});

test('of many claims at once the first wins, as if they came one by one', async () => {
  const { store, storage } = storageBench();
  const claims = [1, 2, 3, 4].map((n) => sampleName('alice', { by: authorKey(n) }));
  const statuses = await Promise.all(claims.map((claim) => store(claim)));
  assert.deepEqual(statuses, ['OK_PROVISIONAL', 'NAME_TAKEN', 'NAME_TAKEN', 'NAME_TAKEN']);
  assert.equal(storage.totals.records, 1);
});

test('the newest record of an author wins, an older one gets to see it', async () => {
  const { store, accept, storage } = storageBench();
  const newer = sampleName('alice', { seq: 5n });
  assert.equal(await store(sampleName('alice', { seq: 4n })), 'OK_PROVISIONAL');
  assert.equal(await store(newer), 'OK_PROVISIONAL');
  const { status, conflicting } = await accept(sampleName('alice', { seq: 4n }));
  assert.equal(storeStatusName(status), 'SEQ_OLD');
  assert.ok(conflicting && equalBytes(conflicting.bytes, newer.bytes));
  assert.equal(storage.totals.records, 1);
});

test('two records of one seq: all storers keep the same, whatever the order', async () => {
  const twins = [sampleName('alice', { expires: testNow + 100 }), sampleName('alice')];
  const kept: string[] = [];
  for (const order of [twins, twins.toReversed()]) {
    const { store, records } = storageBench();
    for (const record of order) await store(record);
    const [held] = records.list(sampleName('alice').key);
    assert.ok(held);
    kept.push(toHex(held.record.hash));
  }
  assert.equal(kept[0], kept[1]);
});

test('who proves to have the name from its holder takes it, for good', async () => {
  const bench = storageBench();
  const { store, storage, accept } = bench;
  const first = sampleName('alice');
  await store(first);
  await storage.confirm(first);
  const second = handedOver(1, { to: 2, epoch: 1 });
  assert.equal(await store(second), 'OK', 'a confirmed holder passes that on');
  const regret = sampleName('alice', { seq: seqOf(9, 9) });
  const { status, conflicting } = await accept(regret);
  assert.equal(storeStatusName(status), 'NAME_TAKEN', 'whatever seq the old owner signs now');
  assert.ok(conflicting && equalBytes(conflicting.hash, second.hash));
  assert.equal(await store(handedOver(2, { to: 1, epoch: 2 })), 'OK', 'back to the first');
  assert.equal(holderOf(bench, first), author(1));
});

test('a sale that was not signed, and a second sale of the same name, change nothing', async () => {
  const bench = storageBench();
  await bench.store(sampleName('alice'));
  assert.equal(await bench.store(handedOver(1, { to: 2, epoch: 1, forged: true })), 'BAD_TRANSFER');
  assert.equal(await bench.store(handedOver(1, { to: 2, epoch: 1 })), 'OK_PROVISIONAL');
  assert.equal(await bench.store(handedOver(1, { to: 3, epoch: 1 })), 'NAME_TAKEN');
  assert.equal(await bench.store(handedOver(3, { to: 4, epoch: 7 })), 'NAME_TAKEN', 'not his');
  assert.equal(holderOf(bench, sampleName('alice')), author(2));
});

test('in a zone the highest serial holds the name, at once; other signatures count nothing', async () => {
  const bench = storageBench();
  const zone = { key: authorKey(9), network: testNetwork };
  const certified = (by: number, serial: number, signer = zone): SignedRecord => {
    const terms = { label: 'alice', owner: authorKey(by).publicKey, serial };
    const times = { notBefore: testNow, notAfter: testNow + 100 * day };
    const certificate = { ...signCertificate({ ...terms, ...times }, signer) };
    const body = {
      label: 'alice',
      root,
      certificate: { ...certificate, zone: zone.key.publicKey },
    };
    const stamp = { seq: 1n, issued: testNow };
    return makeNameRecord(body, stamp, { key: authorKey(by), network: testNetwork });
  };
  assert.equal(await bench.store(certified(1, 1)), 'OK');
  assert.equal(await bench.store(certified(2, 2)), 'OK');
  assert.equal(await bench.store(certified(1, 1)), 'NAME_TAKEN');
  const forger = { key: authorKey(8), network: testNetwork };
  assert.equal(await bench.store(certified(3, 3, forger)), 'BAD_CERT');
  assert.equal(holderOf(bench, certified(2, 2)), author(2));
  assert.deepEqual(bench.claims, []);
});

test('a name that its registrar withdrew does not become free for whom it was taken from', async () => {
  const bench = storageBench();
  const registrar = { key: authorKey(9), network: testNetwork };
  const times = { notBefore: testNow, notAfter: testNow + 1000 * day };
  const certify = (by: number, serial: number): Certificate =>
    signCertificate(
      { label: 'alice', owner: authorKey(by).publicKey, serial, ...times },
      registrar,
    );
  const hers = (days: number): SignedRecord => {
    const stamp = { seq: BigInt(1 + days), issued: testNow + days * day };
    const body = { label: 'alice', root, certificate: certify(1, 1) };
    return makeNameRecord(body, stamp, { key: authorKey(1), network: testNetwork });
  };
  assert.equal(await bench.store(hers(0)), 'OK');
  const title = { label: 'alice', certificate: certify(9, 2) };
  const withdrawal = makeNameTombstone(title, { seq: 1n, issued: testNow }, registrar);
  assert.equal(await bench.store(withdrawal), 'OK');
  for (const days of [1, 8, 40]) {
    bench.world.advance(days * day * 1000);
    assert.equal(await bench.store(hers(days)), 'NAME_TAKEN', `${days} days on`);
  }
});

test('what most others hold takes the place of ours, unless ours comes later by proof', async () => {
  const bench = storageBench();
  const { storage, records, store } = bench;
  await store(sampleName('alice'));
  assert.equal(await storage.adopt(theirs(0), { source: '4:140001' }), true);
  assert.equal(holderOf(bench, theirs(0)), author(2));
  assert.equal(records.list(theirs(0).key)[0]?.provisional, false);
  assert.equal(storage.totals.records, 1);
  await store(handedOver(2, { to: 3, epoch: 1 }));
  assert.equal(holderOf(bench, theirs(0)), author(3));
  assert.equal(await storage.adopt(theirs(0), { source: '4:140001' }), false);
  const gone = sampleNameTombstone('alice', { by: authorKey(4), issued: testNow - 8 * day });
  assert.equal(await storage.adopt(gone, { source: '4:140001' }), false, 'it holds nothing');
});
