import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../test/support/property.ts';
import { Backlog } from './backlog.ts';

const sizeMax = 70_000; // more than a piece of memory
const stepsMax = 8;
const pattern = randomBytes(sizeMax * stepsMax);

const bytes = (n: number, from: number): Uint8Array => pattern.subarray(from, from + n);

test('octets come out as they went in, however they are added and taken', () => {
  const size = fc.integer({ min: 0, max: sizeMax });
  const step = fc.record({ how: fc.constantFrom('add', 'give', 'shift', 'copy'), size });
  checkProperty(
    fc.property(fc.array(step, { maxLength: stepsMax }), (steps) => {
      const backlog = new Backlog();
      const memory = new Uint8Array(sizeMax + 2);
      let [added, taken] = [0, 0];
      const take = (got: Uint8Array): void => {
        assert.equal(Buffer.compare(got, bytes(got.length, taken)), 0);
        taken += got.length;
      };
      for (const { how, size: length } of steps) {
        if (how === 'add') {
          memory.set(bytes(length, added), 1);
          backlog.add({ of: memory, from: 1, to: 1 + length });
          memory.fill(255); // it is used again
          added += length;
        } else if (how === 'give' && length > 0) {
          backlog.give(bytes(length, added));
          added += length;
        } else if (how === 'shift') take(backlog.shift() ?? new Uint8Array());
        else if (how === 'copy') {
          const target = new Uint8Array(new SharedArrayBuffer(length));
          const count = backlog.copyTo(target);
          assert.equal(count, Math.min(length, added - taken));
          take(Uint8Array.from(target.subarray(0, count)));
        }
        assert.equal(backlog.bytes, added - taken);
      }
    }),
  );
});

test('what was cleared does not come', () => {
  const backlog = new Backlog();
  backlog.give(bytes(10, 0));
  backlog.clear();
  assert.equal(backlog.bytes, 0);
  assert.equal(backlog.shift(), undefined);
});
