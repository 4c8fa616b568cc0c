import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type Bytes, concatBytes, toHex } from '../base/bytes.ts';
import { encodeRevocation, type Revocation, revocationBytes } from '../record/revocations.ts';
import { countOf, eachOf } from './entries.ts';
import { leftOf } from './left-entries.ts';

const seed = new Uint8Array(32).fill(7);

/** Of few targets, so that entries take each other back. */
const entry: fc.Arbitrary<Revocation> = fc.record({
  type: fc.constantFrom(1 as const, 2 as const),
  target: fc.integer({ min: 0, max: 9 }).map((n) => new Uint8Array(32).fill(n)),
  undo: fc.boolean(),
});
const list = fc
  .array(entry, { maxLength: 60 })
  .map((all) => concatBytes(...all.map(encodeRevocation)));

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

test('of two lists both are in force, and the later one has the last word', async () => {
  const property = fc.asyncProperty(list, list, async (before, after) => {
    const left = await leftOf(before, after, { countMax: 1000, seed });
    assert.deepEqual(inForce(left, after), inForce(before, after));
    const few = await leftOf(before, after, { countMax: 2, seed });
    assert.deepEqual(few, left.subarray(Math.max(0, left.length - 66)), 'the newest stay');
  });
  await fc.assert(property, { numRuns: 200 });
});

test('of a list as long as they come everything may be left', async () => {
  const before = numbered(200_000, 1);
  const after = numbered(30_000, 2);
  const left = await leftOf(before, after, { countMax: 1_000_000, seed });
  assert.equal(countOf(left), 200_000);
  assert.ok(Buffer.from(left).equals(before));
});

function numbered(count: number, fill: number): Bytes {
  const octets = Buffer.alloc(count * revocationBytes, fill);
  for (let i = 0; i < count; i++) {
    octets[i * revocationBytes] = 1;
    octets.writeUInt32BE(i, i * revocationBytes + 1);
  }
  return octets;
}
