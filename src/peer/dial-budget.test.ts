import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIp } from '../base/address.ts';
import { manualWorld } from '../../test/support/manual-world.ts';
import { DialBudget, dialsPerMinute } from './dial-budget.ts';

const at = (text: string, port = 9000): { ip: Uint8Array; port: number } => ({
  ip: parseIp(text) ?? assert.fail(),
  port,
});

test('a global IP is dialled four times a minute, whatever the port', () => {
  const world = manualWorld();
  const budget = new DialBudget(world.clock);
  const taken = Array.from({ length: 10 }, (_, i) => budget.take(at('8.8.8.8', 1000 + i)));
  assert.equal(taken.filter(Boolean).length, dialsPerMinute);
  assert.equal(budget.take(at('8.8.4.4')), true);
  world.advance(60_001);
  assert.equal(budget.take(at('8.8.8.8')), true);
});

test('the own host and network are not limited', () => {
  const budget = new DialBudget(manualWorld().clock);
  for (let i = 0; i < 50; i++) {
    assert.equal(budget.take(at('127.0.0.1')), true);
    assert.equal(budget.take(at('192.168.1.5')), true);
  }
});
