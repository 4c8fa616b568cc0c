import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { authorOf, rootOf, setUp } from '../../test/support/name-bench.ts';
import { MemoryNameNotes } from '../../test/support/name-net.ts';
import { toHex } from '../base/bytes.ts';
import { unixSeconds } from '../base/clock.ts';
import { type ErrorCode, isAltNetError } from '../base/errors.ts';
import { seqOf } from '../record/envelope.ts';
import { keyName } from '../record/label.ts';
import { makeNameRecord, nameKey } from '../record/name.ts';

const day = 86_400;
const bob = authorOf(2).publicKey;

function hasCode(code: ErrorCode): (error: unknown) => boolean {
  return (error) => isAltNetError(error, code);
}

describe('passing a name on', () => {
  test('takes an offer and an answer', async () => {
    const { node, world } = setUp();
    const hers = node(1);
    const his = node(2);
    const visitor = node(3);
    await hers.register('alice', rootOf(1));
    assert.equal((await visitor.resolve('alice')).state, 'ok');
    const offered = await hers.transfer('alice', bob);
    const until = unixSeconds(world.clock) + 365 * day;
    assert.deepEqual(offered, { name: 'alice.alt', to: bob, until, version: 2, stored: 5 });
    const between = await node(4).resolve('alice');
    assert.deepEqual([between.root, between.offeredTo], [rootOf(1), bob]);
    const taken = await his.register('alice', rootOf(2));
    assert.deepEqual([taken.version, taken.stored], [1, 5]);
    world.advance(300_000);
    const seen = await visitor.resolve('alice');
    assert.deepEqual([seen.state, seen.root, seen.owner], ['ok', rootOf(2), bob]);
    assert.equal(seen.warning, undefined, 'it was passed on');
    assert.equal(seen.offeredTo, undefined);
    await assert.rejects(hers.update('alice', rootOf(3)), hasCode('NAME_NOT_YOURS'));
    assert.deepEqual(hers.list(), []);
    assert.equal((await his.update('alice', rootOf(4))).version, 2);
  });

  test('is answered by an update as well, and by nobody else', async () => {
    const { node } = setUp();
    const hers = node(1);
    await hers.register('alice', rootOf(1));
    await hers.transfer('alice', bob);
    await hers.update('alice', rootOf(5));
    await assert.rejects(node(3).register('alice', rootOf(3)), hasCode('NAME_TAKEN'));
    await assert.rejects(node(2).release('alice'), hasCode('NAME_NOT_FOUND'));
    await assert.rejects(
      node(2).transfer('alice', authorOf(3).publicKey),
      hasCode('NAME_NOT_FOUND'),
    );
    assert.equal((await node(2).update('alice', rootOf(2))).version, 1);
  });

  test('goes on from owner to owner, and back', async () => {
    const { node, net } = setUp();
    const authors = [1, 2, 3, 4, 1].map((fill) => ({ fill, names: node(fill) }));
    await authors[0]?.names.register('alice', rootOf(1));
    for (const [i, { fill, names }] of authors.slice(1).entries()) {
      await authors[i]?.names.transfer('alice', authorOf(fill).publicKey);
      await names.register('alice', rootOf(10 + i));
    }
    const last = await node(9).resolve('alice');
    assert.deepEqual([last.owner, last.root], [authorOf(1).publicKey, rootOf(13)]);
    assert.ok(
      net.storers.every(({ held }) => [...held.values()].every(({ seq }) => seq >> 48n === 4n)),
    );
  });

  test('goes back to who has not looked since', async () => {
    const { node } = setUp();
    const [hers, his] = [node(1), node(2)];
    await hers.register('alice', rootOf(1));
    await hers.transfer('alice', bob);
    await his.register('alice', rootOf(2));
    await his.transfer('alice', authorOf(1).publicKey);
    await hers.register('alice', rootOf(3));
    const seen = await node(3).resolve('alice');
    assert.deepEqual([seen.root, seen.owner], [rootOf(3), authorOf(1).publicKey]);
    await assert.rejects(his.register('alice', rootOf(4)), hasCode('NAME_TAKEN'));
  });

  test('cannot be undone for who saw what the old owner signed afterwards', async () => {
    const { node, net, hold, world, network } = setUp({ storers: 12 });
    const [hers, his, visitor] = [node(1), node(2), node(3)];
    await hers.register('alice', rootOf(1));
    await hers.transfer('alice', bob);
    await his.register('alice', rootOf(2));
    const key = nameKey('alice');
    const theirs = net.storers.map(({ held }) => held.get(toHex(key)) ?? assert.fail());
    const stamp = { seq: seqOf(9, 1), issued: unixSeconds(world.clock) };
    const author = { key: authorOf(1), network };
    const reversal = makeNameRecord({ label: 'alice', root: rootOf(9) }, stamp, author);
    hold(reversal, 0, 12);
    assert.deepEqual((await visitor.resolve('alice')).root, rootOf(9));
    // Of twelve storers five go on showing it: enough for a first answer, not for the last.
    for (const [i, record] of theirs.entries()) if (i >= 5) hold(record, i, i + 1);
    world.advance(300_000);
    await visitor.resolve('alice');
    await new Promise((resolve) => setImmediate(resolve));
    const seen = await visitor.resolve('alice');
    assert.deepEqual([seen.root, seen.owner, seen.warning], [rootOf(2), bob, undefined]);
  });

  test('is not for key names, other zones, names below, oneself or no key at all', async () => {
    const { node } = setUp();
    const names = node(1);
    const label = keyName(authorOf(1).publicKey);
    await names.register('alice', rootOf(1));
    await names.register(label, rootOf(1));
    await names.register('zoned', rootOf(1), { zone: authorOf(1).publicKey });
    await names.update('blog.alice', rootOf(2));
    for (const name of [label, 'zoned', 'blog.alice']) {
      await assert.rejects(names.transfer(name, bob), hasCode('BAD_ARGUMENT'), name);
    }
    for (const key of [
      authorOf(1).publicKey,
      authorOf(1).id,
      new Uint8Array(32),
      new Uint8Array(31),
    ]) {
      await assert.rejects(names.transfer('alice', key), hasCode('BAD_ARGUMENT'));
    }
    await assert.rejects(node(2).transfer('alice', bob), hasCode('BAD_ARGUMENT'));
    await assert.rejects(node(3).transfer('alice', bob), hasCode('NAME_NOT_YOURS'));
    await assert.rejects(node(3).transfer('nobodys', bob), hasCode('NAME_NOT_FOUND'));
  });
});

describe('giving a name up', () => {
  test('keeps it from others for a week, and from its author not at all', async () => {
    const { node, world } = setUp();
    const hers = node(1);
    await hers.register('alice', rootOf(1));
    assert.equal((await node(3).resolve('alice')).state, 'ok');
    const freeAt = unixSeconds(world.clock) + 7 * day;
    assert.deepEqual(await hers.release('alice'), { name: 'alice.alt', freeAt, stored: 5 });
    assert.deepEqual(hers.list(), []);
    assert.equal((await hers.resolve('alice')).state, 'not-found');
    const seen = await node(3).resolve('alice');
    const previousOwner = authorOf(1).publicKey;
    assert.deepEqual(seen, {
      name: 'alice.alt',
      state: 'not-found',
      freeAt,
      previousOwner,
      asked: 5,
    });
    await assert.rejects(node(2).register('alice', rootOf(2)), hasCode('NAME_TAKEN'));
    await assert.rejects(hers.release('alice'), hasCode('NAME_NOT_FOUND'));
    assert.equal((await hers.register('alice', rootOf(3))).version, 3);
    await hers.release('alice');
    world.advance(7 * day * 1000);
    assert.equal((await node(3).resolve('alice')).freeAt, undefined);
    assert.equal((await node(2).register('alice', rootOf(2))).version, 1);
  });

  test('while it is new keeps it from nobody', async () => {
    const { node, net } = setUp();
    const hers = node(1);
    await hers.register('alice', rootOf(1));
    await hers.release('alice');
    for (const storer of net.storers.slice(0, 3)) storer.provisional = true;
    const { state, freeAt } = await node(3).resolve('alice');
    assert.deepEqual([state, freeAt], ['not-found', undefined]);
    assert.equal((await node(3).resolve('never')).freeAt, undefined);
  });

  test('works on another machine with the same key, and for key names', async () => {
    const { node } = setUp();
    const label = keyName(authorOf(1).publicKey);
    await node(1).register('alice', rootOf(1));
    await node(1).register(label, rootOf(1));
    assert.equal((await node(1).release('alice')).stored, 5);
    assert.equal((await node(1).release(label)).stored, 5);
    assert.equal((await node(3).resolve(label)).state, 'not-found');
    await assert.rejects(node(2).release('nobodys'), hasCode('NAME_NOT_FOUND'));
  });
});

test('an owner who is another without a transfer is warned of, for a week', async () => {
  const { node, signed, hold, world } = setUp();
  const notes = new MemoryNameNotes();
  hold(signed(1, 1, unixSeconds(world.clock) + 60), 0, 5);
  assert.equal((await node(3, notes).resolve('alice')).warning, undefined);
  world.advance(31 * day * 1000);
  hold(signed(2, 1), 0, 5);
  const changed = await node(3, notes).resolve('alice');
  assert.deepEqual([changed.state, changed.owner], ['ok', bob]);
  assert.deepEqual(
    [changed.warning, changed.previousOwner],
    ['owner-changed', authorOf(1).publicKey],
  );
  world.advance(6 * day * 1000);
  assert.equal((await node(3, notes).resolve('alice')).warning, 'owner-changed');
  world.advance(2 * day * 1000);
  assert.equal((await node(3, notes).resolve('alice')).warning, undefined);
});
