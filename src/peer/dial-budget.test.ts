import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIp } from '../base/address.ts';
import { manualWorld } from '../../test/support/manual-world.ts';
import { DialBudget, dialsPerMinute } from './dial-budget.ts';

const at = (text: string, port = 9000): { ip: Uint8Array; port: number } => ({
  ip: parseIp(text) ?? assert.fail(),
  port,
});

const [somebody, another] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];

test('a global IP is dialled four times a minute, whatever the port', () => {
  const world = manualWorld();
  const budget = new DialBudget(world.clock);
  const taken = Array.from({ length: 10 }, (_, i) =>
    budget.take(at('8.8.8.8', 1000 + i), new Uint8Array(32).fill(i)),
  );
  assert.equal(taken.filter((waitMs) => waitMs === 0).length, dialsPerMinute);
  assert.equal(budget.take(at('8.8.4.4'), somebody), 0);
  world.advance(20_000);
  assert.equal(budget.take(at('8.8.8.8'), somebody), 40_000);
  world.advance(40_000);
  assert.equal(budget.take(at('8.8.8.8'), somebody), 0);
});

test('where a node was met, the same is dialled again however often others are named there', () => {
  const budget = new DialBudget(manualWorld().clock);
  budget.settle(at('8.8.8.8'), somebody, true);
  for (let i = 0; i < dialsPerMinute; i++) budget.take(at('8.8.8.8', 1000 + i), another);
  assert.equal(budget.take(at('8.8.8.8'), somebody), 0);
  assert.equal(budget.take(at('8.8.8.8'), another), 60_000);
  assert.equal(budget.take(at('8.8.8.8', 9001), somebody), 60_000);
  budget.settle(at('8.8.8.8'), somebody, false);
  assert.equal(budget.take(at('8.8.8.8'), somebody), 60_000);
});

test('the own host and network are not limited', () => {
  const budget = new DialBudget(manualWorld().clock);
  for (let i = 0; i < 50; i++) {
    assert.equal(budget.take(at('127.0.0.1'), somebody), 0);
    assert.equal(budget.take(at('192.168.1.5'), somebody), 0);
  }
});
