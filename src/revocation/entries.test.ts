import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../test/support/property.ts';
import { type Bytes, concatBytes } from '../base/bytes.ts';
import { encodeRevocation, type Revocation, type RevocationsBody } from '../record/revocations.ts';
import { compareLists, countOf, isListOf, tailOf } from './entries.ts';

/** Of few targets, so that entries take each other back. */
const entry: fc.Arbitrary<Revocation> = fc.record({
  type: fc.constantFrom(1 as const, 2 as const),
  target: fc.integer({ min: 0, max: 9 }).map((n) => new Uint8Array(32).fill(n)),
  undo: fc.boolean(),
});
const list = fc
  .array(entry, { maxLength: 60 })
  .map((all) => concatBytes(...all.map(encodeRevocation)));

const bodyOf = (entries: Bytes): RevocationsBody => ({
  count: countOf(entries),
  nextUpdate: 1,
  recent: tailOf(entries),
});
const knownOf = (entries: Bytes): Parameters<typeof compareLists>[0] => ({
  count: countOf(entries),
  tail: tailOf(entries),
});

test('a list that grew by 20 entries at most continues the one before', () => {
  checkProperty(
    fc.property(list, list, (before, more) => {
      const after = concatBytes(before, more);
      if (after.length === 0) return;
      const compared = compareLists(knownOf(before), bodyOf(after));
      if (countOf(more) > 20) assert.equal(compared.kind, 'gap');
      else assert.deepEqual(compared, { kind: 'continues', entries: more });
    }),
  );
});

test('a list that is shorter, or ends otherwise, contradicts the one before', () => {
  checkProperty(
    fc.property(list, (before) => {
      if (before.length === 0) return;
      const shorter = before.subarray(0, before.length - 33);
      if (shorter.length > 0) {
        assert.equal(compareLists(knownOf(before), bodyOf(shorter)).kind, 'contradicts');
      }
      const changed = before.slice();
      changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 0xff;
      assert.equal(compareLists(knownOf(before), bodyOf(changed)).kind, 'contradicts');
    }),
  );
});

const numbered = (n: number): Revocation => ({
  type: 1,
  target: new Uint8Array(32).fill(n),
  undo: false,
});

test('a file is the list of a record with as many valid entries and the same end', () => {
  const whole = concatBytes(...Array.from({ length: 30 }, (_, n) => encodeRevocation(numbered(n))));
  const body = bodyOf(whole);
  assert.ok(isListOf(whole, body));
  assert.ok(!isListOf(whole.subarray(33), body), 'fewer');
  assert.ok(!isListOf(new Uint8Array(whole.length), body), 'another end');
  const broken = whole.slice();
  broken[33] = 3;
  assert.ok(!isListOf(broken, body), 'no such type');
});
