import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatRows, reachesGoal, row } from '../../bench/row.ts';

const limit = { name: 'plain echo', value: 80_000 };
const fast = row({ name: 'sealed requests', value: 4000, unit: '/s', limit, goal: 0.04 });
const slow = row({ name: 'sealed requests', value: 2000, unit: '/s', limit, goal: 0.04 });

test('a share is the part of the limit, and 0 when nothing could be measured', () => {
  assert.equal(fast.share, 0.05);
  assert.equal(row({ ...fast, limit: { name: 'none', value: 0 } }).share, 0);
});

test('a goal is a share to reach, or a value not to exceed', () => {
  assert.equal(reachesGoal(fast), true);
  assert.equal(reachesGoal(slow), false);
  const memory = { name: 'memory', unit: 'MB', limit, lowerIsBetter: true, goal: 110 };
  assert.equal(reachesGoal(row({ ...memory, value: 110 })), true);
  assert.equal(reachesGoal(row({ ...memory, value: 111 })), false);
  const rate = { name: 'files', unit: 'files/s', limit, goalIsValue: true, goal: 2000 };
  assert.equal(reachesGoal(row({ ...rate, value: 2000 })), true);
  assert.equal(reachesGoal(row({ ...rate, value: 1999 })), false);
  assert.match(formatRows([row({ ...rate, value: 2000 })]), />= 2,000 files\/s +ok$/);
  assert.equal(reachesGoal(row({ name: 'no goal', value: 1, unit: 's', limit })), undefined);
});

test('what is short of its goal is printed with the mark, nothing is left out', () => {
  const lines = formatRows([fast, slow]).split('\n');
  assert.equal(lines.length, 3);
  assert.match(
    lines[1] ?? '',
    /^sealed requests +4,000 \/s +80,000 \/s \(plain echo\) +5\.0 % .* ok$/,
  );
  assert.match(lines[2] ?? '', /2\.5 % +>= 4\.0 % +SHORT OF THE GOAL$/);
});
