import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../test/support/property.ts';
import { type Bytes, concatBytes, toHex } from '../base/bytes.ts';
import { encodeRevocation, type Revocation, type RevocationsBody } from '../record/revocations.ts';
import { compareLists, countOf, eachOf, leftOf, tailOf } from './entries.ts';

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

/** What may not be had at the end, the slow way. */
function inForce(...lists: readonly Bytes[]): Set<string> {
  const revoked = new Set<string>();
  for (const entries of lists) {
    for (const { type, target, undo } of eachOf(entries)) {
      if (undo) revoked.delete(`${type}/${toHex(target)}`);
      else revoked.add(`${type}/${toHex(target)}`);
    }
  }
  return revoked;
}

test('of two lists both are in force, and the later one has the last word', () => {
  checkProperty(
    fc.property(list, list, (before, after) => {
      const left = leftOf(before, after, 1000);
      assert.deepEqual(inForce(left, after), inForce(before, after));
      const few = leftOf(before, after, 2);
      assert.deepEqual(few, left.subarray(Math.max(0, left.length - 66)), 'the newest stay');
    }),
  );
});
