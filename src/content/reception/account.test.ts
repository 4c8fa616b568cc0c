import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openAccount, Taking, Untaken } from './account.ts';

const much = 1024 * 1024;

function startBoth(): { taking: Taking; untaken: Untaken; shared: Int32Array } {
  const account = openAccount();
  const shared = new Int32Array(account);
  return { taking: new Taking(account), untaken: new Untaken(account), shared };
}

test('what is taken is no longer there, and who does not wait is told nothing', () => {
  const { taking, untaken } = startBoth();
  untaken.add(3 * much);
  assert.equal(untaken.bytes(), 3 * much);
  assert.equal(taking.took(2 * much, false), false);
  assert.equal(untaken.bytes(), much);
  assert.equal(taking.took(much, true), false);
  assert.equal(untaken.bytes(), 0);
});

test('who waits is told once, when it is worth it or nothing is left', () => {
  const { taking, untaken } = startBoth();
  untaken.add(3 * much);
  untaken.wait();
  assert.deepEqual([taking.took(1000, false), taking.took(much, false)], [false, true]);
  assert.equal(taking.took(much, false), false);
  untaken.wait();
  assert.equal(taking.took(1, true), true);
});

test('the counter may pass the end of its numbers', () => {
  const { taking, untaken, shared } = startBoth();
  for (let gigabytes = 0; gigabytes < 9; gigabytes++) {
    untaken.add(2 ** 30);
    taking.took(2 ** 30, true);
    assert.equal(untaken.bytes(), 0);
  }
  assert.equal(shared[0], 2 ** 30);
});
