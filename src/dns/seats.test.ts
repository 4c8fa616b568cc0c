import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Seats } from './seats.ts';

test('others get half of the places, and each is given back once', () => {
  const seats = new Seats(4);
  const others = [seats.take(false), seats.take(false)];
  assert.equal(seats.take(false), undefined);
  assert.ok(seats.take(true));
  assert.ok(seats.take(true));
  assert.equal(seats.take(true), undefined);
  others[0]?.();
  others[0]?.();
  assert.ok(seats.take(false));
  assert.equal(seats.take(false), undefined);
});
