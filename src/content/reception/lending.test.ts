import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slabBytes, Slabs } from '../slabs.ts';
import { Borrower, Lender } from './lending.ts';

/** What crosses from one to the other, as a message would bring it. */
function cross(lender: Lender, borrower: Borrower): number {
  const made = lender.made();
  borrower.learn(made);
  return made.length;
}

test('a slab crosses once, and what lies in it is seen at the other end', () => {
  const [lender, borrower, slabs] = [new Lender(), new Borrower(), new Slabs(0)];
  const first = lender.take(slabBytes).fill(1);
  const number = lender.numberOf(first);
  assert.ok(number !== undefined);
  assert.deepEqual([cross(lender, borrower), cross(lender, borrower)], [1, 0]);
  const seen = borrower.bytesOf(number, slabBytes);
  assert.deepEqual([seen.length, seen[0], seen.at(-1)], [slabBytes, 1, 1]);
  slabs.give(seen);
  lender.back(borrower.takeFree());
  assert.equal(lender.numberOf(lender.take(slabBytes / 2)), number);
});

test('one that is given back twice is free once, and so is one that was never lent', () => {
  const [lender, borrower, slabs] = [new Lender(), new Borrower(), new Slabs(0)];
  const number = lender.numberOf(lender.take(slabBytes));
  assert.ok(number !== undefined);
  cross(lender, borrower);
  const seen = borrower.bytesOf(number, slabBytes);
  slabs.give(seen);
  slabs.give(seen);
  assert.deepEqual(borrower.takeFree(), [number]);
  lender.back([number, number, 7]);
  const [one, other] = [lender.take(slabBytes), lender.take(slabBytes)];
  assert.deepEqual([lender.numberOf(one), lender.numberOf(other)], [number, number + 1]);
});

test('small pieces and those beyond the most that is lent lie in arrays of their own', () => {
  const lender = new Lender();
  assert.equal(lender.numberOf(lender.take(100)), undefined);
  const numbers = Array.from({ length: 100 }, () => lender.numberOf(lender.take(slabBytes)));
  assert.equal(numbers.filter((number) => number !== undefined).length, 96);
  const more = lender.take(slabBytes);
  assert.deepEqual([more.length, more.buffer instanceof SharedArrayBuffer], [slabBytes, false]);
});

test('a slab that nobody told of is not read', () => {
  assert.throws(() => new Borrower().bytesOf(0, 1));
});
