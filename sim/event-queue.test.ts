import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../test/support/property.ts';
import { EventQueue } from './event-queue.ts';

test('events come in order of time, then of arrival, without those cancelled', () => {
  const event = fc.record({ dueMs: fc.integer({ min: 0, max: 20 }), cancelled: fc.boolean() });
  checkProperty(
    fc.property(
      fc.array(event, { maxLength: 100 }),
      fc.integer({ min: 0, max: 25 }),
      (events, untilMs) => {
        const queue = new EventQueue();
        const came: number[] = [];
        events.forEach(({ dueMs, cancelled }, i) => {
          const cancel = queue.add(dueMs, () => void came.push(i));
          if (cancelled) cancel();
        });
        for (let next = queue.takeUntil(untilMs); next; next = queue.takeUntil(untilMs))
          next.run?.();
        const expected = events
          .map((one, i) => ({ ...one, i }))
          .filter(({ dueMs, cancelled }) => !cancelled && dueMs <= untilMs)
          .toSorted((a, b) => a.dueMs - b.dueMs);
        assert.deepEqual(
          came,
          expected.map(({ i }) => i),
        );
      },
    ),
  );
});
