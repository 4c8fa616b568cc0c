import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../../test/support/property.ts';
import { manualWorld } from '../../../test/support/manual-world.ts';
import { type Pair, SortedPairs } from './sorted-pairs.ts';

function compare(a: Pair, b: Pair): number {
  return a.rank - b.rank || a.mark - b.mark;
}

test('whatever comes and goes, first and last are those of a sorted list', () => {
  const pair = fc
    .tuple(fc.nat({ max: 9 }), fc.nat({ max: 3 }))
    .map(([rank, mark]): Pair => ({ rank, mark }));
  const step = fc.record({ adds: fc.boolean(), pair });
  checkProperty(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const pairs = new SortedPairs();
      const model: Pair[] = [];
      for (const { adds, pair: one } of steps) {
        const at = model.findIndex((other) => compare(other, one) === 0);
        if (adds) {
          pairs.add(one);
          model.push(one);
        } else {
          assert.equal(pairs.remove(one), at >= 0);
          if (at >= 0) model.splice(at, 1);
        }
        model.sort(compare);
        assert.deepEqual([pairs.first(), pairs.last()], [model.at(0), model.at(-1)]);
        assert.equal(pairs.size, model.length);
      }
    }),
  );
});

test('thousands of pairs come out in order, from either end', () => {
  const { random } = manualWorld();
  const pairs = new SortedPairs();
  const model = Array.from({ length: 5000 }, (_, mark) => ({
    rank: Math.floor(random.fraction() * 1000),
    mark,
  }));
  for (const pair of model) pairs.add(pair);
  model.sort(compare);
  while (model.length > 0) {
    const fromStart = model.length % 2 === 0;
    const got = fromStart ? pairs.first() : pairs.last();
    const expected = fromStart ? model.shift() : model.pop();
    assert.deepEqual(got, expected);
    assert.ok(got && pairs.remove(got));
  }
  assert.deepEqual([pairs.size, pairs.first()], [0, undefined]);
});
