import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ManualWorld, manualWorld } from '../../../test/support/manual-world.ts';
import { silentLogger } from '../../base/logger.ts';
import { PlaceCheck, type PlaceState } from './place-check.ts';

interface Followed {
  readonly world: ManualWorld;
  readonly check: PlaceCheck;
  /** When it was tested, in milliseconds. */
  readonly testedMs: number[];
  readonly states: PlaceState[];
  /** What the next test is to do. */
  outcome: 'pass' | 'fail' | 'hang';
}

function follow(): Followed {
  const world = manualWorld();
  const [testedMs, states]: [number[], PlaceState[]] = [[], []];
  const probe = async (signal: AbortSignal): Promise<void> => {
    testedMs.push(world.clock.monotonicMs());
    if (followed.outcome === 'fail') throw new Error('nothing got through');
    if (followed.outcome === 'pass') return;
    const { promise, reject } = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => reject(new Error('too late')), { once: true });
    return promise;
  };
  const onChange = (state: PlaceState): void => void states.push(state);
  const check = new PlaceCheck({ world, log: silentLogger, probe, onChange });
  const followed: Followed = { world, check, testedMs, states, outcome: 'pass' };
  check.start();
  return followed;
}

test('a place that works is tested soon, and ever less often', async () => {
  const { world, check, testedMs, states } = follow();
  assert.equal(check.state, 'unproven');
  await world.advanceAsync(3001);
  assert.deepEqual([testedMs.length, states], [1, ['working']]);
  await world.advanceAsync(6 * 3_600_000);
  const count = testedMs.length;
  assert.ok(count > 8 && count < 30, `${count} in six hours`);
  const gaps = testedMs.slice(1).map((ms, i) => ms - (testedMs[i] ?? 0));
  assert.ok(Math.max(...gaps) <= 45 * 60_000);
  assert.notEqual(gaps.at(-1), gaps.at(-2), 'the relay must not know when');
  await check.stop();
  assert.equal(world.pendingTimers(), 0);
});

test('two failures in a row make a place useless, a success makes it work again', async () => {
  const followed = follow();
  const { world, check, states, testedMs } = followed;
  followed.outcome = 'hang';
  await world.advanceAsync(3001 + 12_000);
  assert.deepEqual([testedMs.length, check.state], [1, 'unproven']);
  followed.outcome = 'fail';
  await world.advanceAsync(15_000);
  assert.deepEqual([testedMs.length, states], [2, ['useless']]);
  await world.advanceAsync(3_600_000);
  const count = testedMs.length;
  assert.ok(count > 6 && count < 30, `${count} in an hour`);
  followed.outcome = 'pass';
  await world.advanceAsync(15 * 60_000 + 1);
  assert.deepEqual(states, ['useless', 'working']);
  await check.stop();
});

test('one failure of a place that worked changes nothing', async () => {
  const followed = follow();
  const { world, check, states } = followed;
  await world.advanceAsync(3001);
  followed.outcome = 'fail';
  await world.advanceAsync(30_000);
  followed.outcome = 'pass';
  await world.advanceAsync(120_000);
  assert.deepEqual([check.state, states], ['working', ['working']]);
  await check.stop();
});

test('the end waits for a test that is under way, and nothing follows', async () => {
  const followed = follow();
  const { world, check, states } = followed;
  followed.outcome = 'hang';
  await world.advanceAsync(3001);
  await check.stop();
  assert.deepEqual([states, world.pendingTimers()], [[], 0]);
});
