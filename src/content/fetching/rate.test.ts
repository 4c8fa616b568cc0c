import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../../../test/support/manual-world.ts';
import { Rate } from './rate.ts';

test('nothing is said of a rate before enough time has passed', () => {
  const world = manualWorld();
  const rate = new Rate(world.clock);
  world.advance(200);
  rate.count(1000);
  assert.equal(rate.bytesPerMs, undefined);
  world.advance(50);
  rate.count(1500);
  assert.equal(rate.bytesPerMs, 10);
});

test('a burst is not taken for the rate, and what lasts is', () => {
  const world = manualWorld();
  const rate = new Rate(world.clock);
  const bring = (bytes: number, times: number): number => {
    for (let i = 0; i < times; i++) {
      world.advance(250);
      rate.count(bytes);
    }
    return rate.bytesPerMs ?? NaN;
  };
  assert.equal(bring(250, 4), 1);
  assert.ok(bring(2500, 1) < 4);
  assert.ok(bring(2500, 20) > 9);
});

test('time in which nothing was due does not count', () => {
  const world = manualWorld();
  const rate = new Rate(world.clock);
  world.advance(60_000);
  rate.begin();
  world.advance(250);
  rate.count(2500);
  assert.equal(rate.bytesPerMs, 10);
});
