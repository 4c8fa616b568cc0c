import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../../test/support/manual-world.ts';
import { RateMeter, sampleEveryMs } from './rates.ts';

test('rates are those of the last minute', () => {
  const { clock, ...world } = manualWorld();
  const meter = new RateMeter(clock);
  const traffic = { receivedBytes: 0, sentBytes: 0 };
  assert.deepEqual(meter.rates(traffic), { receivedPerSecond: 0, sentPerSecond: 0 });
  meter.sample(traffic);
  assert.deepEqual(meter.rates(traffic), { receivedPerSecond: 0, sentPerSecond: 0 });
  for (let i = 0; i < 60; i++) {
    world.advance(sampleEveryMs);
    traffic.receivedBytes += 10_000;
    traffic.sentBytes += 20_000;
    meter.sample(traffic);
  }
  assert.deepEqual(meter.rates(traffic), { receivedPerSecond: 1000, sentPerSecond: 2000 });
  for (let i = 0; i < 7; i++) {
    world.advance(sampleEveryMs);
    meter.sample(traffic);
  }
  assert.deepEqual(meter.rates(traffic), { receivedPerSecond: 0, sentPerSecond: 0 });
});
