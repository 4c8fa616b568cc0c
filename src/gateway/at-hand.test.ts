/** What answers at hand may cost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AtHand } from './at-hand.ts';

const limits = { bytesMax: 100_000, bytesPerClientMax: 40_000 };

test('any number of requests takes no more than it may, and the last ones stay', () => {
  const atHand = new AtHand<number>(limits);
  for (let i = 0; i < 100_000; i++) {
    atHand.set(`request ${i}`, i, { bytes: 100, client: `${i % 7}` });
  }
  assert.ok(atHand.size <= limits.bytesMax / 1024 && atHand.size > 50, `${atHand.size}`);
  assert.equal(atHand.get('request 99999'), 99_999);
  assert.equal(atHand.get('request 1'), undefined);
});

test('what one network has made pushes out nothing of another', () => {
  const atHand = new AtHand<string>(limits);
  atHand.set('theirs', 'kept', { bytes: 10_000, client: 'a' });
  for (let i = 0; i < 1000; i++) atHand.set(`request ${i}`, 'x', { bytes: 1000, client: 'b' });
  assert.equal(atHand.get('theirs'), 'kept');
  assert.ok(atHand.size < 1 + limits.bytesPerClientMax / 2000, `${atHand.size}`);
  assert.equal(atHand.get('request 999'), 'x');
});

test('all networks together have a limit as well', () => {
  const atHand = new AtHand<string>(limits);
  for (const client of ['a', 'b', 'c']) {
    for (let i = 0; i < 10; i++) atHand.set(`${client}${i}`, 'x', { bytes: 2500, client });
  }
  assert.equal(atHand.get('a0'), undefined, 'the oldest of all went');
  assert.equal(atHand.get('c9'), 'x');
  assert.ok(atHand.size < 30);
});

test('what is larger than a share is not held, and what is set anew counts once', () => {
  const atHand = new AtHand<string>(limits);
  atHand.set('large', 'x', { bytes: limits.bytesPerClientMax, client: 'a' });
  assert.equal(atHand.size, 0);
  for (let i = 0; i < 100; i++) atHand.set('one', `${i}`, { bytes: 10_000, client: `${i % 2}` });
  atHand.set('two', 'x', { bytes: 10_000, client: 'a' });
  assert.deepEqual([atHand.size, atHand.get('one')], [2, '99']);
  atHand.delete('one');
  atHand.delete('never there');
  assert.equal(atHand.size, 1);
  atHand.clear();
  assert.equal(atHand.size, 0);
});
