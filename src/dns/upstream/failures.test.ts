import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../../../test/support/manual-world.ts';
import { FailedQuestions } from './failures.ts';

test('a failure is remembered for seconds, then longer, up to half a minute', () => {
  const world = manualWorld();
  const failures = new FailedQuestions(world.clock);
  const lastsMs = (): number => {
    failures.failed('a', 2);
    let ms = 0;
    for (; failures.get('a') === 2; ms += 500) world.advance(500);
    return ms;
  };
  assert.deepEqual([lastsMs(), lastsMs(), lastsMs()], [2000, 4000, 8000]);
  assert.deepEqual([lastsMs(), lastsMs(), lastsMs()], [16_000, 30_000, 30_000]);
  failures.answered('a');
  assert.equal(lastsMs(), 2000);
  assert.equal(failures.get('b'), undefined);
});

test('few are remembered, and none when a resolver is there again', () => {
  const failures = new FailedQuestions(manualWorld().clock);
  for (let i = 0; i < 1025; i++) failures.failed(`${i}`, 5);
  assert.deepEqual([failures.get('0'), failures.get('1')], [undefined, 5]);
  failures.forget();
  assert.equal(failures.get('1'), undefined);
});
