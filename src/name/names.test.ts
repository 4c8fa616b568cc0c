import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { authorOf, rootOf, setUp } from '../../test/support/name-bench.ts';
import { MemoryNameNotes } from '../../test/support/name-net.ts';
import { toHex } from '../base/bytes.ts';
import { unixSeconds } from '../base/clock.ts';
import { type ErrorCode, isAltNetError } from '../base/errors.ts';
import { seqOf } from '../record/envelope.ts';
import { keyName } from '../record/label.ts';
import { makeNameTombstone, nameKey } from '../record/name.ts';
import { powBitsOf } from '../record/pow.ts';
import { Pins } from './pins.ts';

const day = 86_400;
const aliceKey = nameKey('alice');

function hasCode(code: ErrorCode, details: object = {}): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isAltNetError(error, code), String(error));
    assert.partialDeepStrictEqual(error.details, details);
    return true;
  };
}

describe('registering', () => {
  test('takes a free name, and others then see it', async () => {
    const { node, world } = setUp();
    const registered = await node(1).register('Alice.alt', rootOf(1));
    const now = unixSeconds(world.clock);
    const expires = now + 90 * day;
    const name = 'alice.alt';
    assert.deepEqual(registered, { name, root: rootOf(1), version: 1, expires, stored: 5 });
    assert.deepEqual(await node(2).resolve('alice'), {
      name,
      state: 'ok',
      root: rootOf(1),
      owner: authorOf(1).publicKey,
      version: 1,
      issued: now,
      expires,
      asked: 5,
    });
  });

  test('loses none of what is written at the same time', async () => {
    const { node } = setUp();
    const alice = node(1);
    await alice.register('alice', rootOf(1));
    const below = Array.from({ length: 8 }, (_, i) => `n${i}.alice.alt`);
    const written = await Promise.all(below.map((name) => alice.register(name, rootOf(2))));
    const versions = written.map(({ version }) => version).toSorted((a, b) => a - b);
    assert.deepEqual(versions, [2, 3, 4, 5, 6, 7, 8, 9]);
    const names = alice.list().map(({ name }) => name);
    assert.deepEqual(names.toSorted(), ['alice.alt', ...below]);
  });

  test('refuses a name that another holds, by the search or by the storers', async () => {
    const { node, net } = setUp();
    await node(1).register('alice', rootOf(1));
    const owner = toHex(authorOf(1).publicKey);
    const taken = hasCode('NAME_TAKEN', { name: 'alice.alt', owner });
    await assert.rejects(node(2).register('alice', rootOf(2)), taken);
    await assert.rejects(node(2).update('alice', rootOf(2)), hasCode('NAME_NOT_YOURS', { owner }));
    // The search finds nobody, and the storers know better.
    const blind = node(2);
    net.gather = async function* () {
      yield { from: net.storers[0]?.contact ?? 'self', records: [], provisional: [] };
      return { answered: 1, closest: [], complete: true };
    };
    await assert.rejects(blind.register('alice', rootOf(2)), taken);
    assert.deepEqual(blind.list(), []);
  });

  test('gives up a claim that most storers refuse', async () => {
    const { node, net, signed, hold } = setUp();
    hold(signed(1, 1), 2, 5);
    const second = node(2);
    const gather = net.gather.bind(net);
    net.gather = async function* (...args) {
      for (const storer of net.storers.slice(2)) storer.silent = true;
      const end = yield* gather(...args);
      for (const storer of net.storers) storer.silent = false;
      return end;
    };
    await assert.rejects(second.register('alice', rootOf(2)), hasCode('NAME_TAKEN'));
    assert.deepEqual(second.list(), []);
    assert.equal(net.storers[0]?.held.get(toHex(aliceKey))?.tombstone, true);
  });

  test('an own name again is an update', async () => {
    const { node } = setUp();
    const names = node(1);
    await names.register('alice', rootOf(1));
    const again = await names.register('alice', rootOf(2));
    assert.equal(again.version, 2);
    const updated = await names.update('alice', rootOf(3));
    assert.equal(updated.version, 3);
    assert.deepEqual((await node(2).resolve('alice')).root, rootOf(3));
  });

  test('on another machine with the same key goes above what is there', async () => {
    const { node } = setUp();
    await node(1).register('alice', rootOf(1));
    await node(1).update('alice', rootOf(2));
    const third = await node(1).register('alice', rootOf(3));
    assert.equal(third.version, 3);
  });

  test('with an old journal writes again above the newer record', async () => {
    const { node, hold, signed } = setUp();
    const names = node(1);
    await names.register('alice', rootOf(1));
    hold(signed(1, 9), 0, 5);
    assert.equal((await names.update('alice', rootOf(2))).version, 10);
  });

  test('does the work of the profile once', async () => {
    const profile = { name: 'costly', powNameBits: 14, powLinkBits: 0 };
    const { node, net } = setUp({ profile });
    const names = node(1);
    await names.register('alice', rootOf(1));
    const first = net.storers[0]?.held.get(toHex(aliceKey));
    assert.ok(first && powBitsOf(first) >= 14);
    await names.update('alice', rootOf(2));
    const second = net.storers[0]?.held.get(toHex(aliceKey));
    assert.deepEqual(second?.powNonce, first.powNonce);
  });

  test('says what is wrong with a name or root', async () => {
    const { node } = setUp();
    const names = node(1);
    for (const bad of ['', 'a.b.c', 'gns', 'a.gns', '-a.b', 'under_score', '-x']) {
      await assert.rejects(names.register(bad, rootOf(1)), hasCode('BAD_NAME', { name: bad }));
      await assert.rejects(names.resolve(bad), hasCode('BAD_NAME', { name: bad }));
    }
    await assert.rejects(names.register('alice', rootOf(1, 0x71)), hasCode('BAD_ROOT'));
    await assert.rejects(names.update('alice', rootOf(1)), hasCode('NAME_NOT_FOUND'));
  });

  test('without anybody to store says so and keeps the name for later', async () => {
    const { node } = setUp({ storers: 0 });
    const names = node(1);
    await assert.rejects(names.register('alice', rootOf(1)), hasCode('NO_PEERS'));
    const resolved = await names.resolve('alice');
    assert.deepEqual([resolved.state, resolved.asked], ['new', 0]);
    assert.deepEqual(resolved.root, rootOf(1));
  });

  test('stops when it is told to', async () => {
    const { node } = setUp();
    const signal = AbortSignal.abort();
    await assert.rejects(node(1).register('alice', rootOf(1), { signal }));
    await assert.rejects(node(1).resolve('alice', { signal }));
  });
});

describe('key names', () => {
  test('belong to their key alone and need no majority', async () => {
    const { node, net } = setUp();
    const label = keyName(authorOf(1).publicKey);
    const registered = await node(1).register(label, rootOf(1));
    assert.deepEqual([registered.name, registered.version], [`${label}.alt`, 1]);
    for (const { held } of net.storers.slice(1)) held.clear();
    const resolved = await node(2).resolve(`${label.toUpperCase()}.alt`);
    assert.deepEqual([resolved.state, resolved.root], ['ok', rootOf(1)]);
    await assert.rejects(node(2).register(label, rootOf(2)), hasCode('NAME_NOT_YOURS'));
    await assert.rejects(node(2).update(label, rootOf(2)), hasCode('NAME_NOT_YOURS'));
    assert.equal((await node(2).resolve(keyName(authorOf(9).publicKey))).state, 'not-found');
  });
});

describe('resolving', () => {
  test('shows claimants when there is no majority', async () => {
    const { node, signed, hold } = setUp({ storers: 4 });
    hold(signed(1, 1), 0, 2);
    hold(signed(2, 1), 2, 4);
    const { state, claimants, root } = await node(3).resolve('alice');
    assert.equal(state, 'contested');
    assert.deepEqual(
      claimants?.map(toHex).toSorted(),
      [1, 2].map((i) => toHex(authorOf(i).publicKey)).toSorted(),
    );
    assert.equal(root, undefined);
    await assert.rejects(node(3).register('alice', rootOf(3)), hasCode('NAME_CONTESTED'));
    assert.equal((await node(1).update('alice', rootOf(5))).version, 2);
  });

  test('remembers an owner across restarts, and warns of another', async () => {
    const { node, signed, hold } = setUp();
    const notes = new MemoryNameNotes();
    hold(signed(1, 3), 0, 5);
    assert.equal((await node(3, notes).resolve('alice')).state, 'ok');
    hold(signed(2, 9), 0, 5);
    const changed = await node(3, notes).resolve('alice');
    assert.equal(changed.state, 'contested');
    assert.equal((await node(4).resolve('alice')).state, 'ok');
    hold(signed(1, 2), 0, 5);
    assert.equal((await node(3, notes).resolve('alice')).state, 'not-found');
    hold(signed(1, 4), 0, 1);
    assert.equal((await node(3, notes).resolve('alice')).version, 4);
  });

  test('of a known owner ends after five that agree', async () => {
    const { node, signed, hold, net } = setUp({ storers: 20 });
    const notes = new MemoryNameNotes();
    hold(signed(1, 3), 0, 20);
    assert.equal((await node(3, notes).resolve('alice')).asked, 20);
    assert.equal((await node(3, notes).resolve('alice')).asked, 5);
    assert.equal(net.searches, 2);
  });

  test('tells an expired name from one that never was, and lets its owner renew it', async () => {
    const { node, signed, hold, world } = setUp();
    hold(signed(1, 1, unixSeconds(world.clock) - 1), 0, 5);
    const { state, owner } = await node(2).resolve('alice');
    assert.deepEqual([state, owner], ['expired', authorOf(1).publicKey]);
    await assert.rejects(node(2).register('alice', rootOf(2)), hasCode('NAME_TAKEN'));
    await assert.rejects(node(2).update('alice', rootOf(2)), hasCode('NAME_NOT_YOURS'));
    assert.equal((await node(1).update('alice', rootOf(4))).version, 2);
  });

  test('finds nothing under a name that was withdrawn, which its owner may take again', async () => {
    const { node, hold, world, network } = setUp();
    const stamp = { seq: seqOf(0, 4), issued: unixSeconds(world.clock) };
    hold(makeNameTombstone('alice', stamp, { key: authorOf(1), network }), 0, 5);
    assert.equal((await node(2).resolve('alice')).state, 'not-found');
    await assert.rejects(node(2).register('alice', rootOf(2)), hasCode('NAME_TAKEN'));
    await assert.rejects(node(2).update('alice', rootOf(2)), hasCode('NAME_NOT_FOUND'));
    await assert.rejects(node(1).update('alice', rootOf(2)), hasCode('NAME_NOT_FOUND'));
    assert.equal((await node(1).register('alice', rootOf(2))).version, 5);
  });
});

describe('memory', () => {
  test('answers from it for five minutes, for one where the name is not in order', async () => {
    const { node, net, world } = setUp();
    await node(1).register('alice', rootOf(1));
    const names = node(2);
    const searched = async (name: string): Promise<number> => {
      const before = net.searches;
      await names.resolve(name);
      return net.searches - before;
    };
    assert.deepEqual([await searched('alice'), await searched('alice')], [1, 0]);
    assert.deepEqual([await searched('bob'), await searched('bob')], [1, 0]);
    world.advance(60_000);
    assert.deepEqual([await searched('alice'), await searched('bob')], [0, 1]);
    world.advance(240_000);
    assert.equal(await searched('alice'), 1);
  });

  test('is corrected by an own write, also while a search is under way', async () => {
    const { node, net } = setUp();
    const names = node(1);
    assert.equal((await names.resolve('alice')).state, 'not-found');
    const { promise, resolve: open } = Promise.withResolvers<void>();
    net.gate = promise;
    const late = names.resolve('bob');
    net.gate = undefined;
    await names.register('alice', rootOf(1));
    await names.register('bob', rootOf(2));
    assert.equal((await names.resolve('alice')).state, 'ok');
    open();
    assert.equal((await late).name, 'bob.alt');
    assert.deepEqual((await names.resolve('bob')).root, rootOf(2));
  });

  test('shares one search among all who ask, until the last gives up', async () => {
    const { node, net } = setUp();
    const names = node(1);
    const { promise, resolve: open } = Promise.withResolvers<void>();
    net.gate = promise;
    const [one, two] = [new AbortController(), new AbortController()];
    const first = names.resolve('alice', { signal: one.signal });
    const second = names.resolve('alice', { signal: two.signal });
    one.abort();
    await assert.rejects(first);
    open();
    assert.equal((await second).state, 'not-found');
    assert.equal(net.searches, 1);
  });

  test('begins anew when all who asked before have given up', async () => {
    const { node, net } = setUp();
    const names = node(1);
    const { promise, resolve: open } = Promise.withResolvers<void>();
    net.gate = promise;
    const controller = new AbortController();
    const given = names.resolve('alice', { signal: controller.signal });
    controller.abort();
    await assert.rejects(given);
    net.gate = undefined;
    assert.equal((await names.resolve('alice')).state, 'not-found');
    assert.equal(net.searches, 2);
    open();
  });

  test('forgets the owners that were unused for longest when there are too many', async () => {
    const { world, signed, network } = setUp();
    const notes = new MemoryNameNotes();
    const pins = new Pins({ notes, clock: world.clock, network }, 10);
    const record = signed(1, 1);
    for (let i = 0; i < 12; i++) {
      await pins.remember({ ...record, key: new Uint8Array(32).fill(i) });
      world.advance(1000);
      if (i === 5) {
        world.advance(day * 1000);
        await pins.remember({ ...record, key: new Uint8Array(32) });
      }
    }
    assert.ok(notes.list('pin/').length <= 10);
    assert.ok(pins.get(new Uint8Array(32)), 'it was used since');
    assert.equal(pins.get(new Uint8Array(32).fill(1)), undefined);
    assert.ok(pins.get(new Uint8Array(32).fill(11)));
  });

  test('lists own names with when they were first taken', async () => {
    const { node, world } = setUp();
    const names = node(1);
    const began = unixSeconds(world.clock);
    await names.register('alice', rootOf(1));
    await names.register(keyName(authorOf(1).publicKey), rootOf(2));
    world.advance(day * 1000);
    await names.update('alice', rootOf(3));
    const [alice, key] = names.list();
    assert.deepEqual(alice, {
      name: 'alice.alt',
      root: rootOf(3),
      owner: authorOf(1).publicKey,
      version: 2,
      registered: began,
      updated: began + day,
      expires: began + 91 * day,
    });
    assert.equal(key?.name, `${keyName(authorOf(1).publicKey)}.alt`);
  });
});
