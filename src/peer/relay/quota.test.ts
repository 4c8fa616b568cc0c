import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Quota } from './quota.ts';

const of = (name: string): { name: string; max: number; refusal: 'many' }[] => [
  { name, max: 2, refusal: 'many' },
];

test('nobody takes all places, and each is given back once', () => {
  const quota = new Quota<'full' | 'many'>(3, 'full');
  const first = quota.take(of('a'));
  assert.ok(typeof first === 'function');
  assert.equal(typeof quota.take(of('a')), 'function');
  assert.equal(quota.take(of('a')), 'many');
  assert.equal(typeof quota.take(of('b')), 'function');
  assert.equal(quota.take(of('c')), 'full');
  first();
  first();
  assert.equal(quota.count, 2);
  assert.equal(typeof quota.take(of('a')), 'function');
  assert.equal(quota.take([]), 'full');
});
