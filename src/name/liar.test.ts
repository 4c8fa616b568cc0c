import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorOf, rootOf, setUp } from '../../test/support/name-bench.ts';
import { toHex } from '../base/bytes.ts';
import { unixSeconds } from '../base/clock.ts';
import { contactOf } from '../identity/contact.ts';
import { seqOf } from '../record/envelope.ts';
import { storeStatuses } from '../record/kinds.ts';
import { keyName } from '../record/label.ts';
import { makeNameTombstone } from '../record/name.ts';
import { makePkNameRecord } from '../record/pkname.ts';

test('one liar of eight cannot become the owner of a free name by withdrawing it', async () => {
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

test('one liar of eight cannot take or hide what the others hold, nor show an old version', async () => {
  const { node, signed, hold } = setUp({ storers: 8 });
  hold(signed(9, 100), 0, 1);
  hold(signed(1, 2), 1, 8);
  assert.deepEqual((await node(2).resolve('alice')).root, rootOf(1));
  hold(signed(1, 1), 0, 1);
  assert.equal((await node(3).resolve('alice')).version, 2);
});

test('one liar of eight cannot make an author write below the present version', async () => {
  const { node, net, signed } = setUp({ storers: 8 });
  const names = node(1);
  for (const fill of [1, 2, 3]) await names.register('alice', rootOf(fill));
  const [first] = net.storers;
  assert.ok(first);
  first.store = () => ({ status: storeStatuses.SEQ_OLD, conflicting: signed(1, 1) });
  assert.equal((await names.register('alice', rootOf(4))).version, 4);
  assert.equal(names.list()[0]?.version, 4);
});

test('one network does not end the search for a key name with an old record', async () => {
  const { node, net, network, world } = setUp({ storers: 8 });
  const key = authorOf(1);
  const issued = unixSeconds(world.clock);
  const version = (n: number) =>
    makePkNameRecord({ root: rootOf(n) }, { seq: seqOf(0, n), issued }, { key, network });
  const gather = net.gather.bind(net);
  const flood = Array.from({ length: 7 }, (_, i) => {
    const endpoint = { ip: Uint8Array.of(99, 1, 1, i), port: 9000 };
    const from = contactOf(new Uint8Array(32).fill(0x80 + i), endpoint);
    return { from, records: [version(1)], provisional: [false] };
  });
  net.gather = async function* (at, options) {
    yield* flood;
    return yield* gather(at, options);
  };
  for (const { held } of net.storers) held.set(toHex(version(2).key), version(2));
  assert.equal((await node(2).resolve(keyName(key.publicKey))).version, 2);
});

test('a name is not shown from memory beyond its end', async () => {
  const { node, signed, hold, world } = setUp();
  hold(signed(1, 1, unixSeconds(world.clock) + 60), 0, 5);
  const visitor = node(2);
  assert.equal((await visitor.resolve('alice')).state, 'ok');
  world.advance(61_000);
  assert.equal((await visitor.resolve('alice')).state, 'expired');
});
