import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CID } from 'multiformats/cid';
import { create } from 'multiformats/hashes/digest';
import { authorKey, testNetwork, testNow } from '../../../test/support/dht-samples.ts';
import { publisherBench } from '../../../test/support/publisher-bench.ts';
import { unixSeconds } from '../../base/clock.ts';
import { checkCertificate, checkTime } from '../../record/acceptance.ts';
import { versionOf, type SignedRecord } from '../../record/envelope.ts';
import { makeNameRecord } from '../../record/name.ts';
import { slotOf } from '../../record/registry.ts';
import { signCertificate } from '../../record/zone.ts';
import { needsRenewal, renew } from './renewal.ts';

const day = 86_400;
const root = CID.createV1(0x55, create(0x12, new Uint8Array(32).fill(1)));
const key = authorKey(1);

function certified(days: number, now = testNow): SignedRecord {
  const times = { notBefore: now - 600, notAfter: now + days * day };
  const terms = { label: 'alice', owner: key.publicKey, serial: 1, ...times };
  const certificate = signCertificate(terms, { key: authorKey(9), network: testNetwork });
  const stamp = { seq: 1n, issued: now };
  return makeNameRecord({ label: 'alice', root, certificate }, stamp, {
    key,
    network: testNetwork,
  });
}

test('a name of a zone is renewed up to the end of its certificate, and not beyond', () => {
  let record = certified(200);
  const notAfter = testNow + 200 * day;
  for (let now = testNow; now < notAfter; now += day) {
    if (!needsRenewal(record, now)) continue;
    record = renew(record, { key, nowUnixSeconds: now, network: testNetwork });
    assert.equal(checkCertificate(record, testNetwork), 0);
    assert.equal(checkTime(record, now), 0);
  }
  assert.equal(record.expires, notAfter);
  assert.equal(needsRenewal(record, notAfter), false);
});

test('what was signed while the clock was ahead is not renewed where nothing covers it', () => {
  const record = certified(10, testNow + 100 * day);
  assert.equal(needsRenewal(record, testNow), false, 'its certificate has not begun');
  assert.equal(needsRenewal(certified(10), testNow + 11 * day), false, 'it has ended');
});

test('the publisher keeps a certified name alive until the certificate ends', async () => {
  const it = publisherBench();
  const now = unixSeconds(it.world.clock);
  await it.publisher.start();
  await it.publisher.publish(certified(120, now));
  for (let days = 1; days < 120; days++) {
    await it.passHours(24);
    const [published] = it.publisher.list();
    assert.ok(published && published.record.expires > unixSeconds(it.world.clock), `day ${days}`);
    assert.equal(checkCertificate(published.record, testNetwork), 0);
  }
  const [last] = it.publisher.list();
  assert.equal(last?.record.expires, now + 120 * day);
  assert.ok(last && versionOf(last.record.seq) > 1);
  await it.passHours(48);
  assert.deepEqual(it.publisher.list(), [], 'it has expired');
  await it.publisher.stop();
});

test('a killed node renews from its journal when it is back', async () => {
  const before = publisherBench();
  const now = unixSeconds(before.world.clock);
  await before.publisher.publish(certified(120, now));
  const after = publisherBench();
  for (const entry of before.journal.list()) await after.journal.put(slotOf(entry.record), entry);
  await after.world.advanceAsync(80 * day * 1000);
  await after.publisher.start();
  await after.passHours(1);
  const [renewed] = after.publisher.list();
  assert.equal(renewed?.record.expires, now + 120 * day, 'and not 90 days on from now');
  assert.deepEqual(after.stored, [renewed?.record]);
  await after.publisher.stop();
});
