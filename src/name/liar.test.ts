import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorOf, rootOf, setUp } from '../../test/support/name-bench.ts';
import { unixSeconds } from '../base/clock.ts';
import { seqOf } from '../record/envelope.ts';
import { storeStatuses } from '../record/kinds.ts';
import { makeNameTombstone } from '../record/name.ts';

test('one liar among eight storers cannot make itself the known owner of a free name by withdrawing it', async () => {
  const { node, signed, hold, world, network } = setUp({ storers: 8 });
  const stamp = { seq: seqOf(0, 9), issued: unixSeconds(world.clock) };
  hold(makeNameTombstone('alice', stamp, { key: authorOf(9), network }), 0, 1);
  const visitor = node(2);
  assert.equal((await visitor.resolve('alice')).state, 'not-found');
  hold(signed(1, 1), 1, 8);
  world.advance(60_000);
  const found = await visitor.resolve('alice');
  assert.deepEqual([found.state, found.root], ['ok', rootOf(1)]);
});

test('one liar among eight storers cannot take or hide what the others hold, nor show an old version', async () => {
  const { node, signed, hold } = setUp({ storers: 8 });
  hold(signed(9, 100), 0, 1);
  hold(signed(1, 2), 1, 8);
  assert.deepEqual((await node(2).resolve('alice')).root, rootOf(1));
  hold(signed(1, 1), 0, 1);
  assert.equal((await node(3).resolve('alice')).version, 2);
});

test('one liar among eight storers cannot make an author write below the present version', async () => {
  const { node, net, signed } = setUp({ storers: 8 });
  const names = node(1);
  for (const fill of [1, 2, 3]) await names.register('alice', rootOf(fill));
  const [first] = net.storers;
  assert.ok(first);
  first.store = () => ({ status: storeStatuses.SEQ_OLD, conflicting: signed(1, 1) });
  assert.equal((await names.register('alice', rootOf(4))).version, 4);
  assert.equal(names.list()[0]?.version, 4);
});
