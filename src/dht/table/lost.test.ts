import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../../../test/support/manual-world.ts';
import { type Contact, contactOf } from '../../identity/contact.ts';
import { Failures } from './failures.ts';
import { LostContacts } from './lost.ts';

const hourMs = 3_600_000;

/** In a public /16 of its own, or in that of `network`. */
function contact(n: number, network = n): Contact {
  const ip = Uint8Array.of(20 + (network >> 8), network & 255, n >> 8, n & 255);
  return contactOf(new Uint8Array(32).fill(n & 255).fill(n >> 8, 0, 1), { ip, port: 9000 });
}

test('lost contacts take turns, and are forgotten after a day or when they answer', () => {
  const lost = new LostContacts(manualWorld().random);
  for (const n of [1, 2, 3]) lost.add(contact(n), n);
  const turn = (nowMs: number): number | undefined => lost.next(nowMs)?.contact.publicKey[1];
  assert.deepEqual([turn(10), turn(11), turn(12), turn(13)], [1, 2, 3, 1]);
  lost.forget(contact(2));
  assert.deepEqual([turn(14), turn(15)], [3, 1]);
  assert.equal(turn(24 * hourMs + 2), 3);
  assert.equal(turn(25 * hourMs), undefined);
  assert.equal(lost.size, 0);
});

test('half of a network that went at once stays known while others go one by one', () => {
  const lost = new LostContacts(manualWorld().random);
  for (let n = 0; n < 100; n++) lost.add(contact(n), 0);
  assert.equal(lost.size, 64);
  for (let n = 100; n < 130; n++) lost.add(contact(n), hourMs);
  assert.equal(lost.size, 64);
  const left = lost.contacts().filter(({ publicKey }) => (publicKey[1] ?? 0) < 100).length;
  assert.ok(left > 30, `${left} of the half are still known`);
});

test('what went together is a crowd, what went alone or among many is none', () => {
  const lost = new LostContacts(manualWorld().random);
  for (const n of [1, 2, 3]) lost.add(contact(n), n * 1000);
  for (const n of [4, 5]) lost.add(contact(n), n * hourMs);
  const first = lost.next(6 * hourMs);
  assert.ok(first);
  const crowd = lost.crowdOf(first, 12).map(({ publicKey }) => publicKey[1]);
  assert.deepEqual(crowd, [1, 2, 3]);
  assert.ok(lost.hasCrowd(12));
  assert.deepEqual(lost.crowdOf(first, 13), [], 'of sixteen, three come and go any time');
  assert.ok(!lost.hasCrowd(13));
  lost.forget(contact(1));
  assert.equal(lost.crowdOf(first, 8).length, 2, 'also when it has answered');
  for (const n of [2, 3]) lost.forget(contact(n));
  assert.ok(!lost.hasCrowd(0), 'one is no crowd, however few are left');
  for (let n = 100; n < 116; n++) lost.add(contact(n), 9 * hourMs);
  assert.ok(lost.hasCrowd(10_000), 'nor do sixteen at once in any network');
});

test('who runs many nodes in one network gets few of the places', () => {
  const lost = new LostContacts(manualWorld().random);
  for (let n = 0; n < 60; n++) lost.add(contact(n, 7), 0);
  assert.equal(lost.size, 2);
  for (let n = 100; n < 140; n++) lost.add(contact(n), 0);
  assert.equal(lost.size, 42);
});

test('several failures within a minute are a cluster, few or scattered ones are none', () => {
  const failures = new Failures();
  assert.equal(failures.note(contact(1), { nowMs: 0, size: 12 }), false);
  assert.equal(failures.note(contact(1), { nowMs: 1, size: 12 }), false, 'the same one again');
  assert.equal(failures.note(contact(2), { nowMs: 60_001, size: 12 }), false, 'the first is old');
  assert.equal(failures.note(contact(3), { nowMs: 70_000, size: 12 }), true);
  assert.equal(failures.note(contact(4), { nowMs: 70_001, size: 12 }), false, 'it begins anew');
  const many = new Failures();
  const told = [1, 2, 3, 4, 5].map((n) => many.note(contact(n), { nowMs: n, size: 500 }));
  assert.deepEqual(told, [false, false, false, false, true]);
});
