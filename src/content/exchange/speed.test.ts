import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../../../test/support/manual-world.ts';
import { Speed } from './speed.ts';

const kibibyte = 1024;

test('the window holds about a second, within its limits', () => {
  const world = manualWorld();
  const speed = new Speed(world.clock);
  speed.begin();
  assert.equal(speed.windowBytes, 1024 * kibibyte, 'before anything is known');
  const send = (bytesPerMs: number): void => {
    for (let i = 0; i < 50; i++) {
      world.advance(100);
      speed.count(bytesPerMs * 100);
    }
  };
  send(2000);
  assert.ok(Math.abs(speed.windowBytes - 2_000_000) < 20_000, String(speed.windowBytes));
  send(1_000_000);
  assert.equal(speed.windowBytes, 8 * kibibyte * kibibyte);
  send(1);
  assert.equal(speed.windowBytes, 512 * kibibyte);
});

test('what is left takes as long as it took before, and not less than the silence', () => {
  const world = manualWorld();
  const speed = new Speed(world.clock);
  assert.equal(speed.etaMs(1000), undefined);
  world.advance(200);
  speed.count(200_000);
  assert.equal(speed.etaMs(5000), 5);
  world.advance(700);
  assert.equal(speed.quietMs, 700);
  assert.equal(speed.etaMs(5000), 700);
  speed.begin();
  assert.equal(speed.quietMs, 0);
});
