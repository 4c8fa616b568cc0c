import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../support/manual-world.ts';

test('timers run in order of their time, also those set meanwhile', () => {
  const world = manualWorld();
  const ran: string[] = [];
  world.timers.after(20, () => ran.push(`b${world.clock.monotonicMs()}`));
  world.timers.after(10, () => {
    ran.push(`a${world.clock.monotonicMs()}`);
    world.timers.after(5, () => ran.push(`c${world.clock.monotonicMs()}`));
  });
  const cancel = world.timers.after(12, () => ran.push('cancelled'));
  cancel();
  world.advance(30);
  assert.deepEqual(ran, ['a10', 'c15', 'b20']);
  assert.equal(world.clock.monotonicMs(), 30);
  assert.equal(world.pendingTimers(), 0);
});

test('advanceAsync lets promises that wait for a timer go on', async () => {
  const world = manualWorld();
  const ran: number[] = [];
  const loop = async (): Promise<void> => {
    for (let i = 0; i < 3; i++) {
      await new Promise<void>((resolve) => world.timers.after(10, resolve));
      ran.push(world.clock.monotonicMs());
    }
  };
  const done = loop();
  await world.advanceAsync(30);
  await done;
  assert.deepEqual(ran, [10, 20, 30]);
});

function draw(seed: number): string {
  const { random } = manualWorld(seed);
  return `${Buffer.from(random.bytes(40)).toString('hex')} ${random.fraction()}`;
}

test('a seed gives the same bytes again, another seed others', () => {
  assert.equal(draw(7), draw(7));
  assert.notEqual(draw(7), draw(8));
});
