import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorKey, sampleLink, testNow } from '../../../test/support/dht-samples.ts';
import { equalBytes, toHex } from '../../base/bytes.ts';
import { sha256 } from '../../base/hash.ts';
import { pageOf } from './pages.ts';
import type { GetRequest, StoredRecord } from '../ports.ts';

const nowMs = testNow * 1000;
const self = new Uint8Array(32).fill(3);

function heldLinks(count: number): StoredRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    record: sampleLink('https://a.example/', { by: authorKey(i), seq: BigInt(i) }),
    heldSinceMs: nowMs - 7_200_000,
    refreshedMs: nowMs,
    provisional: i === 0,
    source: '',
  }));
}

function request(changes: Partial<GetRequest> = {}): GetRequest {
  const key = new Uint8Array(32);
  return { method: 'get', key, mode: 'full', minSeq: 0n, cursor: 0, ids: [], ...changes };
}

/** All pages: how many entries each has. */
function pagesOf(held: readonly StoredRecord[], first: GetRequest, by = self): number[][] {
  const pages: number[][] = [];
  let cursor: number | undefined = 0;
  while (cursor !== undefined) {
    const page = pageOf(held, { ...first, cursor }, { self: by, nowMs });
    pages.push([page.records.length, page.digests.length]);
    cursor = page.next;
  }
  return pages;
}

test('records fill pages that fit a datagram, and all of them come', () => {
  const held = heldLinks(20);
  const size = held[0]?.record.bytes.length ?? 0;
  const perPage = Math.floor(1075 / (size + 2));
  const pages = pagesOf(held, request());
  assert.ok(pages.slice(0, -1).every(([records]) => records === perPage));
  assert.equal(
    pages.flat().reduce((a, b) => a + b, 0),
    20,
  );
});

test('nothing held is one empty page', () => {
  assert.deepEqual(pagesOf([], request()), [[0, 0]]);
});

test('a cursor beyond the end is an empty last page', () => {
  const page = pageOf(heldLinks(3), request({ cursor: 99 }), { self, nowMs });
  assert.deepEqual(page, { records: [], provisional: [], digests: [], next: undefined });
});

test('digests come 23 to a page and say what they stand for', () => {
  const held = heldLinks(30);
  assert.deepEqual(pagesOf(held, request({ mode: 'digest' })), [
    [0, 23],
    [0, 7],
  ]);
  const { digests } = pageOf(held.slice(0, 1), request({ mode: 'digest' }), { self, nowMs });
  const [record] = held.map((stored) => stored.record);
  assert.ok(record);
  assert.deepEqual(digests, [
    {
      hash: record.hash.slice(0, 16),
      author: sha256(record.author).slice(0, 16),
      seq: 0n,
      heldHours: 2,
      size: record.bytes.length,
      provisional: true,
    },
  ]);
});

test('by-id sends what was asked for, minSeq leaves out what is old', () => {
  const held = heldLinks(10);
  const ids = held.slice(4, 6).map(({ record }) => record.hash.subarray(0, 16));
  const byId = pageOf(held, request({ mode: 'by-id', ids }), { self, nowMs });
  assert.equal(byId.records.length, 2);
  assert.ok(
    byId.records.every((bytes) => held.some(({ record }) => equalBytes(record.bytes, bytes))),
  );
  assert.deepEqual(pagesOf(held, request({ minSeq: 9n })), [[1, 0]]);
});

test('holders serve in different orders', () => {
  const held = heldLinks(10);
  const first = (by: Uint8Array): string =>
    toHex(pageOf(held, request(), { self: by, nowMs }).records[0] ?? by);
  const orders = Array.from({ length: 16 }, (_, i) => first(new Uint8Array(32).fill(i * 16)));
  assert.ok(new Set(orders).size > 1);
});
