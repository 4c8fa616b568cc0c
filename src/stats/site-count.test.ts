import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bytes } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';
import { decodeSiteCount, encodeSiteCount } from './site-codec.ts';
import { daysMax, SiteCount } from './site-count.ts';

function who(number: number): Bytes {
  return sha256(Uint8Array.of(number, number >> 8)).subarray(0, 8);
}

function visit(site: SiteCount, day: number, visitor?: number): void {
  const hash = visitor === undefined ? undefined : who(visitor);
  site.add({ day, bytes: 100, seen: day * 86_400, visitor: hash });
}

test('requests, bytes and visitors are summed by day and in all', () => {
  const site = new SiteCount();
  visit(site, 10, 1);
  visit(site, 10, 1);
  visit(site, 10, 2);
  visit(site, 11, 1);
  visit(site, 11);
  assert.deepEqual(site.totals, { requests: 5, bytes: 500, visitors: 3, lastSeen: 950_400 });
  assert.deepEqual(site.days(11), [
    { day: 10, requests: 3, bytes: 300, visitors: 2 },
    { day: 11, requests: 2, bytes: 200, visitors: 1 },
  ]);
});

test('30 days are told apart; the sums keep what was before', () => {
  const site = new SiteCount();
  for (let day = 1; day <= 40; day++) visit(site, day, 1);
  const days = site.days(40).map(({ day }) => day);
  assert.deepEqual([days.length, days[0], days.at(-1)], [daysMax, 11, 40]);
  assert.equal(site.totals.requests, 40);
  assert.equal(site.days(60).length, 10);
  assert.equal(site.days(200).length, 0);
});

test('a clock that is put back adds to the day that was', () => {
  const site = new SiteCount();
  visit(site, 10, 1);
  visit(site, 11, 1);
  visit(site, 10, 2);
  assert.equal(site.totals.visitors, 3);
  assert.deepEqual(site.days(10), [{ day: 10, requests: 2, bytes: 200, visitors: 2 }]);
  assert.equal(site.days(11).length, 2);
});

test('what is written goes on where it was, on the same day and on the next', () => {
  for (const visitors of [0, 3, 500]) {
    const site = new SiteCount();
    visit(site, 9, 1);
    for (let i = 0; i < visitors; i++) visit(site, 10, i);
    const octets = encodeSiteCount(site.state());
    assert.ok(octets.length < 2000, `${octets.length} bytes`);
    const state = decodeSiteCount(octets);
    assert.ok(state);
    const read = new SiteCount(state);
    assert.deepEqual(read.state().totals, site.totals);
    assert.deepEqual(read.days(10), site.days(10));
    const before = read.totals.visitors;
    for (let i = 0; i < visitors; i++) visit(read, 10, i);
    assert.equal(read.totals.visitors, before);
  }
});

test('a day that is over keeps numbers only', () => {
  const site = new SiteCount();
  visit(site, 10, 1);
  const open = encodeSiteCount(site.state()).length;
  assert.equal(site.close(10), false);
  assert.equal(site.close(11), true);
  assert.equal(site.close(11), false);
  assert.equal(site.state().sketch, undefined);
  assert.equal(encodeSiteCount(site.state()).length, open - 24);
});

test('damaged octets are refused', () => {
  const site = new SiteCount();
  visit(site, 10, 1);
  const octets = encodeSiteCount(site.state());
  for (let length = 0; length < octets.length; length++) {
    assert.equal(decodeSiteCount(octets.subarray(0, length)), undefined);
  }
  for (const [at, to] of [
    [0, 2],
    [1, 0],
    [1, 31],
    [3, 0],
    [4, 0xff],
    [40, 0xbf],
  ] as const) {
    const bad = octets.slice();
    bad[at] = to;
    assert.equal(decodeSiteCount(bad), undefined, `octet ${at}`);
  }
});
