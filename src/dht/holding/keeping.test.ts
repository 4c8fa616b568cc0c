import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  sampleLink,
  sampleName,
  sampleNameTombstone,
  sampleProvider,
  testNow,
} from '../../../test/support/dht-samples.ts';
import type { SignedRecord } from '../../record/envelope.ts';
import { dropAtMs, repushAtMs } from './keeping.ts';
import type { StoredRecord } from '../ports.ts';

const nowMs = testNow * 1000;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

function held(record: SignedRecord, refreshedMs: number = nowMs): StoredRecord {
  return { record, heldSinceMs: nowMs, refreshedMs, provisional: false, source: '' };
}

const dropAfter = (record: SignedRecord, refreshedMs?: number): number =>
  (dropAtMs(held(record, refreshedMs)) - nowMs) / dayMs;

test('each kind is kept as long as it says', () => {
  const soon = { expires: testNow + 86_400 };
  assert.equal(dropAfter(sampleName('alice')), 2, 'not refreshed');
  assert.equal(dropAfter(sampleName('alice', soon)), 31, 'lived until it expired, then reserved');
  assert.equal(dropAfter(sampleName('alice'), nowMs + 89 * dayMs), 120);
  assert.equal(dropAfter(sampleNameTombstone('alice')), 90);
  assert.equal(dropAfter(sampleLink('https://a.example/')), 2);
  assert.equal(dropAfter(sampleLink('https://a.example/', soon)), 1);
  assert.equal(dropAfter(sampleProvider(1)), 1 / 3);
});

test('each holder stores again at its own time around 20 hours; providers never', () => {
  const stored = held(sampleName('alice'));
  const hours = [0, 64, 128, 255].map(
    (fill) => ((repushAtMs(stored, new Uint8Array(32).fill(fill)) ?? 0) - nowMs) / hourMs,
  );
  assert.ok(hours.every((at) => at >= 15 && at <= 25));
  assert.equal(new Set(hours).size, 4);
  assert.equal(repushAtMs(held(sampleProvider(1)), new Uint8Array(32)), undefined);
});
