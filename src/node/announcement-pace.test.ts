import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../../test/support/manual-world.ts';
import { AnnouncementPace, type Urgency } from './announcement-pace.ts';

/** Announces as soon as may be, and gives back how long that took. */
function announce(world: ReturnType<typeof manualWorld>, pace: AnnouncementPace): number {
  let waitedMs = 0;
  for (let ms = pace.waitMs(); ms > 0; ms = pace.waitMs()) {
    world.advance(ms);
    waitedMs += ms;
  }
  pace.looked(60_000);
  pace.spend();
  return waitedMs;
}

test('how soon a change is announced follows from what it costs others', () => {
  const world = manualWorld();
  const pace = new AnnouncementPace(world.clock);
  assert.equal(announce(world, pace), 0, 'the first look is at once');
  const waits = (['later', 'soon', 'now'] as const).map((urgency) => {
    pace.changed(urgency);
    return announce(world, pace);
  });
  assert.deepEqual(waits, [5000, 1000, 0]);
});

test('a change puts off none that came before', () => {
  const world = manualWorld();
  const pace = new AnnouncementPace(world.clock);
  announce(world, pace);
  pace.changed('soon');
  world.advance(600);
  pace.changed('later');
  pace.changed('soon');
  assert.equal(pace.waitMs(), 400);
});

test('without end it goes on once a minute, and what is urgent goes first', () => {
  const world = manualWorld();
  const pace = new AnnouncementPace(world.clock);
  const all = (urgency: Urgency, count: number): number[] =>
    Array.from({ length: count }, () => {
      pace.changed(urgency);
      return announce(world, pace);
    });
  assert.ok(all('soon', 5).every((ms) => ms <= 1000));
  const [sixth = 0] = all('soon', 1);
  assert.ok(sixth > 50_000, `${sixth}: the last ones are kept`);
  assert.deepEqual(all('now', 3), [0, 0, 0]);
  const rest = all('now', 5);
  assert.ok(
    rest.every((ms) => ms > 50_000 && ms <= 60_000),
    String(rest),
  );
});
