import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../../../test/support/manual-world.ts';
import { LeftAlone } from './left-alone.ts';

const [calm, urgent] = [{ isUrgent: false }, { isUrgent: true }];
const hourMs = 3_600_000;

test('who fails is left alone ever longer, but half a minute by who has no other', () => {
  const world = manualWorld();
  const left = new LeftAlone(world);
  assert.equal(left.has('a', calm), false);
  for (let i = 0; i < 20; i++) left.failed('a');
  assert.equal(left.has('b', calm), false);
  world.advance(20_000);
  assert.deepEqual([left.has('a', calm), left.has('a', urgent)], [true, true]);
  world.advance(20_000);
  assert.deepEqual([left.has('a', calm), left.has('a', urgent)], [true, false]);
  world.advance(5 * 60_000);
  assert.equal(left.has('a', calm), false);
  left.ended('a', { isLeaving: false, isSteady: true });
  world.advance(2001);
  assert.equal(left.has('a', calm), false);
  left.ended('a', { isLeaving: true, isSteady: false });
  world.advance(19_000);
  assert.equal(left.has('a', calm), true);
});

test('who passes nothing on is left alone for an hour, then longer, whatever else is forgiven', () => {
  const world = manualWorld();
  const left = new LeftAlone(world);
  left.passedNothing('a');
  left.failed('b');
  left.failed('c');
  left.forgiveOthers('b');
  assert.deepEqual(
    ['a', 'b', 'c'].map((name) => left.has(name, calm)),
    [true, true, false],
  );
  left.forgive();
  assert.deepEqual(
    ['a', 'b', 'c'].map((name) => left.has(name, calm)),
    [true, false, false],
  );
  world.advance(hourMs + 1);
  assert.equal(left.has('a', calm), false);
  left.passedNothing('a');
  world.advance(hourMs + 1);
  assert.equal(left.has('a', calm), true);
  world.advance(hourMs);
  assert.equal(left.has('a', calm), false);
});

test('of relays that fail, few are remembered', () => {
  const left = new LeftAlone(manualWorld());
  for (let i = 0; i < 257; i++) left.failed(`relay ${i}`);
  assert.deepEqual([left.has('relay 0', calm), left.has('relay 1', calm)], [false, true]);
});
