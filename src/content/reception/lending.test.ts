import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slabBytes, Slabs } from '../slabs.ts';
import { Borrower, Lender, openLoans } from './lending.ts';

/** What crosses from one to the other, as a message would bring it. */
function cross(lender: Lender, borrower: Borrower): number {
  const made = lender.made();
  borrower.learn(made);
  return made.length;
}

function startBoth(): { lender: Lender; borrower: Borrower; slabs: Slabs } {
  const loans = openLoans();
  return { lender: new Lender(loans), borrower: new Borrower(loans), slabs: new Slabs(0) };
}

test('a slab crosses once, and what lies in it is seen at the other end', () => {
  const { lender, borrower, slabs } = startBoth();
  const first = lender.take(slabBytes).fill(1);
  const number = lender.numberOf(first);
  assert.ok(number !== undefined);
  assert.deepEqual([cross(lender, borrower), cross(lender, borrower)], [1, 0]);
  const seen = borrower.bytesOf(number, slabBytes);
  assert.deepEqual([seen.length, seen[0], seen.at(-1)], [slabBytes, 1, 1]);
  slabs.give(seen);
  assert.equal(lender.numberOf(lender.take(slabBytes / 2)), number);
});

test('one that is given back twice is free once, and so is one that was never lent', () => {
  const { lender, borrower, slabs } = startBoth();
  const number = lender.numberOf(lender.take(slabBytes));
  assert.ok(number !== undefined);
  cross(lender, borrower);
  const seen = borrower.bytesOf(number, slabBytes);
  slabs.give(seen);
  slabs.give(seen);
  const [one, other] = [lender.take(slabBytes), lender.take(slabBytes)];
  assert.deepEqual([lender.numberOf(one), lender.numberOf(other)], [number, number + 1]);
});

test('small pieces and those beyond the most that is lent lie in arrays of their own', () => {
  const { lender } = startBoth();
  assert.equal(lender.numberOf(lender.take(100)), undefined);
  const numbers = Array.from({ length: 100 }, () => lender.numberOf(lender.take(slabBytes)));
  assert.equal(numbers.filter((number) => number !== undefined).length, 96);
  const more = lender.take(slabBytes);
  assert.deepEqual([more.length, more.buffer instanceof SharedArrayBuffer], [slabBytes, false]);
});

test('what nobody was told of is used again', () => {
  const { lender } = startBoth();
  const bytes = lender.take(slabBytes);
  lender.keep(bytes);
  lender.keep(new Uint8Array(slabBytes));
  assert.equal(lender.take(slabBytes).buffer, bytes.buffer);
});

test('a slab that nobody told of is not read', () => {
  assert.throws(() => startBoth().borrower.bytesOf(0, 1));
});
