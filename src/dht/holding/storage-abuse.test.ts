/**
 * What an attacker achieves against one storer (docs/spec/dht.md, "Quotas"). Signatures are real
 * where they are looked at; most junk is refused before, which is part of what is shown.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  authorKey,
  nodeKey,
  sampleName,
  sampleProvider,
} from '../../../test/support/dht-samples.ts';
import { benchSelf, internetSource, storageBench } from '../../../test/support/storage-bench.ts';
import { type Bytes, toHex } from '../../base/bytes.ts';
import type { SigningKey } from '../../identity/key.ts';
import type { SignedRecord } from '../../record/envelope.ts';
import { storeStatusName } from '../../record/kinds.ts';
import { distanceShare } from '../distance.ts';

const nothing: Bytes = new Uint8Array(64);

/** A key that signs nothing: for records that are refused before their signature is looked at. */
function unsigned(kind: 'author' | 'node', n: number): SigningKey {
  const publicKey = new Uint8Array(32);
  new DataView(publicKey.buffer).setUint32(0, n + 1);
  return { kind, publicKey, id: publicKey, sign: () => nothing } as unknown as SigningKey;
}

interface Counts {
  readonly statuses: Map<string, number>;
  readonly count: (status: string) => void;
}

function counts(): Counts {
  const statuses = new Map<string, number>();
  const count = (status: string): void => {
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  };
  return { statuses, count };
}

test('10,000 claims from one network: 2,000 are held', async (t) => {
  const { store, storage, pass } = storageBench();
  const { statuses, count } = counts();
  for (let n = 0; n < 10_000; n++) {
    // Really signed only as long as somebody looks.
    const by = n < 2_100 ? authorKey(n) : unsigned('author', n);
    count(await store(sampleName(`squat-${n}`, { by }), internetSource(1)));
    if (n % 60 === 59) pass(60); // as fast as the storer lets it
  }
  t.diagnostic(JSON.stringify(Object.fromEntries(statuses)));
  assert.equal(storage.totals.records, 2_000);
  assert.equal(statuses.get('QUOTA_NET'), 8_000);
});

test('faster than 60 a minute, a network gets even less', async () => {
  const { store, storage } = storageBench();
  const { statuses, count } = counts();
  for (let n = 0; n < 1_000; n++) {
    const by = n < 60 ? authorKey(n) : unsigned('author', n);
    count(await store(sampleName(`squat-${n}`, { by }), internetSource(1)));
  }
  assert.deepEqual([storage.totals.records, statuses.get('RATE')], [60, 940]);
});

/**
 * The flood is scaled down with the store: 10,000 records against a budget of 150 KiB are as many
 * times the budget as 4,300,000 against 64 MiB. Honest records are those that this node should
 * hold in a network of 1,000 nodes; junk is spread over the ID space, as its keys are hashes, and
 * comes from 1,000 networks, so that no quota but the budget stops it.
 */
test('stuffing: a flood of junk displaces no record that belongs here', async (t) => {
  const budget = 150 * 1024;
  const { store, storage, pass } = storageBench({ recordBytesBudget: budget });
  const radius = 20 / 1000;
  const honest: SignedRecord[] = [];
  for (let n = 0; honest.length < 100; n++) {
    const record = sampleName(`honest-${n}`, { by: unsigned('author', n) });
    if (distanceShare(benchSelf, record.key) > radius) continue;
    honest.push(sampleName(`honest-${n}`, { by: authorKey(n) }));
  }
  for (const [n, record] of honest.entries()) await store(record, internetSource(2_000 + n));
  const { statuses, count } = counts();
  const started = performance.now();
  for (let n = 0; n < 10_000; n++) {
    const source = internetSource(n % 1_000);
    if (n % 1_000 === 999) pass(1);
    // Names, and providers, whose share honest names do not use.
    const signed = n < 2_000;
    const record =
      n % 2 === 0
        ? sampleName(`junk-${n}`, { by: signed ? authorKey(n) : unsigned('author', n) })
        : sampleProvider(n % 256, { by: signed ? nodeKey(n) : unsigned('node', n) });
    count(await store(record, source));
  }
  const ms = Math.round(performance.now() - started);
  t.diagnostic(`${ms} ms: ${JSON.stringify(Object.fromEntries(statuses))}`);
  const held = (record: SignedRecord): boolean =>
    storage.list(record.key).some((stored) => toHex(stored.record.hash) === toHex(record.hash));
  const lost = honest.filter((record) => !held(record)).length;
  t.diagnostic(`${lost} of ${honest.length} honest records lost; ${storage.totals.bytes} bytes`);
  assert.ok(lost < honest.length / 100);
  assert.ok(storage.totals.bytes <= budget);
});

function isTooFar(key: Bytes): boolean {
  return distanceShare(benchSelf, key) > 0.04;
}

test('what is too far from here is refused before anything else is looked at', async () => {
  const { accept, storage } = storageBench({}, isTooFar);
  const { statuses, count } = counts();
  for (let n = 0; n < 2_000; n++) {
    const record = sampleName(`far-${n}`, { by: unsigned('author', n) });
    count(storeStatusName((await accept(record)).status));
  }
  assert.equal(storage.totals.records, 0);
  const far = statuses.get('NOT_CLOSE') ?? 0;
  assert.ok(far > 1_850, `${far} of 2,000`);
  assert.equal(far + (statuses.get('BAD_SIG') ?? 0), 2_000);
});
