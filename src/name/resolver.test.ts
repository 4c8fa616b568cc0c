import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { authorOf, type NameBench, rootOf, setUp } from '../../test/support/name-bench.ts';
import { MemoryNameNotes } from '../../test/support/name-net.ts';
import { toHex } from '../base/bytes.ts';
import { unixSeconds } from '../base/clock.ts';
import { type ErrorCode, isAltNetError } from '../base/errors.ts';
import { contactOf } from '../identity/contact.ts';
import { nameKey } from '../record/name.ts';
import { signCertificate } from '../record/zone.ts';
import type { NamedCertificate } from './certificate-text.ts';

const minute = 60_000;
const hour = 60 * minute;

function hasCode(code: ErrorCode): (error: unknown) => boolean {
  return (error) => isAltNetError(error, code);
}

function silence({ net }: NameBench, silent: boolean, from = 0): void {
  for (const storer of net.storers.slice(from)) storer.silent = silent;
}

/** Lets what goes on behind an answer come to its end. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

describe('silence', () => {
  test('about a name is no absence', async () => {
    const bench = setUp({ storers: 20 });
    const names = bench.node(2);
    silence(bench, true);
    await assert.rejects(names.resolve('alice'), hasCode('NO_ANSWER'));
    silence(bench, false, 9);
    await assert.rejects(bench.node(2).resolve('alice'), hasCode('NO_ANSWER'));
    silence(bench, false);
    assert.equal((await names.resolve('alice')).state, 'not-found');
  });

  test('of those whom a search could not ask any more is no absence', async () => {
    const bench = setUp({ storers: 20 });
    const names = bench.node(2);
    bench.net.complete = false;
    await assert.rejects(names.resolve('alice'), hasCode('NO_ANSWER'));
    bench.hold(bench.signed(1, 1), 0, 20);
    assert.equal((await names.resolve('alice')).state, 'new');
    bench.net.complete = true;
    assert.equal((await bench.node(3).resolve('alice')).state, 'ok');
  });

  test('does not make a name ok, nor hide it', async () => {
    const bench = setUp({ storers: 20 });
    bench.hold(bench.signed(1, 1), 0, 20);
    silence(bench, true, 10);
    assert.equal((await bench.node(2).resolve('alice')).state, 'new');
    silence(bench, true, 3);
    const names = bench.node(2);
    assert.deepEqual((await names.resolve('alice')).root, rootOf(1));
  });

  test('lets what opened within a day open again, and says so', async () => {
    const bench = setUp();
    const notes = new MemoryNameNotes();
    bench.hold(bench.signed(1, 1), 0, 5);
    const names = bench.node(2, notes);
    await names.resolve('alice');
    silence(bench, true);
    bench.world.advance(6 * minute);
    const { searches } = bench.net;
    const stale = await names.resolve('alice');
    assert.deepEqual([stale.state, stale.root, stale.stale], ['ok', rootOf(1), true]);
    await names.resolve('alice');
    assert.equal(bench.net.searches - searches, 2, 'they are left alone for a while');
    const restarted = await bench.node(2, notes).resolve('alice');
    assert.deepEqual([restarted.root, restarted.stale, restarted.asked], [rootOf(1), true, 0]);
    silence(bench, false);
    bench.world.advance(minute);
    const fresh = await names.resolve('alice');
    assert.deepEqual([fresh.stale, fresh.asked], [undefined, 5]);
    silence(bench, true);
    bench.world.advance(25 * hour);
    await assert.rejects(names.resolve('alice'), hasCode('NO_ANSWER'));
    await assert.rejects(bench.node(2, notes).resolve('alice'), hasCode('NO_ANSWER'));
  });

  test('does not open what has ended since', async () => {
    const bench = setUp();
    bench.hold(bench.signed(1, 1, unixSeconds(bench.world.clock) + 60), 0, 5);
    const names = bench.node(2);
    await names.resolve('alice');
    silence(bench, true);
    bench.world.advance(2 * minute);
    await assert.rejects(names.resolve('alice'), hasCode('NO_ANSWER'));
  });

  test('that lasts too long is TIMEOUT, and bridged alike', async () => {
    const { node, net, signed, hold, world } = setUp();
    hold(signed(1, 1), 0, 5);
    const known = node(2);
    await known.resolve('alice');
    world.advance(6 * minute);
    net.gather = async function* (_key, { signal }) {
      yield* [];
      await new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      });
      return { answered: 0, closest: [], complete: true };
    };
    const answers = Promise.allSettled([known.resolve('alice'), node(3).resolve('alice')]);
    await world.advanceAsync(21_000);
    const [stale, none] = await answers;
    assert.ok(stale.status === 'fulfilled' && stale.value.stale === true);
    assert.ok(none.status === 'rejected' && isAltNetError(none.reason, 'TIMEOUT'));
  });
});

describe('memory', () => {
  test('says how old it is, and is passed over when asked to be', async () => {
    const bench = setUp();
    const names = bench.node(2);
    assert.deepEqual((await names.resolve('alice')).ageSeconds, undefined);
    bench.hold(bench.signed(1, 1), 0, 5);
    bench.world.advance(40_000);
    const { searches } = bench.net;
    const remembered = await names.resolve('alice');
    assert.deepEqual([remembered.state, remembered.ageSeconds], ['not-found', 40]);
    assert.equal((await names.resolve('blog.alice')).ageSeconds, 40);
    assert.equal(bench.net.searches, searches, 'nobody was asked');
    const fresh = await names.resolve('alice', { fresh: true });
    assert.deepEqual([fresh.state, fresh.ageSeconds], ['ok', undefined]);
    const again = await names.resolve('alice');
    assert.deepEqual([again.state, again.ageSeconds], ['ok', 0], 'and it is remembered');
  });

  test('keeps no absence that was found out alone', async () => {
    const bench = setUp({ storers: 1 }); // itself
    const names = bench.node(2);
    assert.equal((await names.resolve('alice')).state, 'not-found');
    bench.hold(bench.signed(1, 1), 0, 1);
    assert.deepEqual((await names.resolve('alice')).root, rootOf(1));
  });

  test('answers where nobody else does, and says how old that is', async () => {
    const bench = setUp();
    bench.hold(bench.signed(1, 1), 0, 5);
    const names = bench.node(2);
    await names.resolve('alice');
    bench.world.advance(minute);
    silence(bench, true);
    const { stale, ageSeconds } = await names.resolve('alice', { fresh: true });
    assert.deepEqual([stale, ageSeconds], [true, 60]);
  });
});

describe('liars', () => {
  test('with a lone record do not keep a free name from being taken', async () => {
    const { node, signed, hold, net } = setUp({ storers: 20 });
    hold(signed(9, 100), 0, 1);
    assert.equal((await node(2).resolve('alice')).state, 'not-found');
    const { stored } = await node(1).register('alice', rootOf(1));
    assert.equal(stored, 19);
    assert.equal((await node(2).resolve('alice')).state, 'ok');
    assert.ok(net.storers[0]?.held.has(toHex(nameKey('alice'))));
  });

  test('do not turn ok into new by contacts that they made up', async () => {
    const { node, signed, hold, net } = setUp({ storers: 20 });
    hold(signed(1, 1), 0, 20);
    const gather = net.gather.bind(net);
    const madeUp = Array.from({ length: 40 }, (_, i) =>
      contactOf(new Uint8Array(32).fill(0x80 + i), {
        ip: Uint8Array.of(99, i, 1, 1),
        port: 9000,
      }),
    );
    net.gather = async function* (at, options) {
      const end = yield* gather(at, options);
      return { ...end, closest: [...madeUp, ...end.closest] };
    };
    net.size = 1e6;
    assert.equal((await node(2).resolve('alice')).state, 'ok');
  });

  test('who made no name theirs yet make it new at most', async () => {
    const { node, signed, hold, net } = setUp({ storers: 20 });
    hold(signed(1, 1), 0, 20);
    for (const storer of net.storers) storer.provisional = true;
    const { state, root } = await node(2).resolve('alice');
    assert.deepEqual([state, root], ['new', rootOf(1)]);
    for (const storer of net.storers.slice(0, 11)) storer.provisional = false;
    assert.equal((await node(2).resolve('alice')).state, 'ok');
  });
});

describe('a known name', () => {
  test('answers early and learns later what it missed', async () => {
    const { node, signed, hold, net, world } = setUp({ storers: 20 });
    const notes = new MemoryNameNotes();
    hold(signed(1, 1), 0, 20);
    await node(2, notes).resolve('alice');
    hold(signed(1, 2), 10, 20);
    const names = node(2, notes);
    const first = await names.resolve('alice');
    assert.deepEqual([first.version, first.asked], [1, 5]);
    await turns();
    const second = await names.resolve('alice');
    assert.deepEqual([second.version, second.asked], [2, 20]);
    assert.equal(net.searches, 2, 'the same search went on');
    assert.deepEqual(net.repairs, [10], 'and the ten who were behind got the newest');
    assert.equal(net.storers[0]?.held.get(toHex(nameKey('alice')))?.seq, 2n);
    world.advance(6 * minute);
    assert.equal((await names.resolve('alice')).version, 2);
    await turns();
    assert.equal(net.repairs.length, 1);
  });

  test('does not go back, and nobody is asked for less', async () => {
    const { node, signed, hold, net } = setUp({ storers: 20 });
    const notes = new MemoryNameNotes();
    hold(signed(1, 5), 0, 20);
    await node(2, notes).resolve('alice');
    hold(signed(1, 4), 0, 19);
    assert.equal((await node(2, notes).resolve('alice')).version, 5);
    await turns();
    assert.deepEqual(net.repairs, [19]);
  });

  test('is asked for on one path, an unknown or absent one on two', async () => {
    const { node, signed, hold, net } = setUp();
    const notes = new MemoryNameNotes();
    hold(signed(1, 1), 0, 5);
    await node(2, notes).resolve('alice');
    await node(2, notes).resolve('alice');
    assert.deepEqual(net.paths, [2, 1]);
    for (const { held } of net.storers) held.clear();
    assert.equal((await node(2, notes).resolve('alice')).state, 'not-found');
    assert.deepEqual(net.paths, [2, 1, 1, 2]);
  });

  test('leaves nothing running after stop', async () => {
    const { node, signed, hold, net } = setUp({ storers: 20 });
    const notes = new MemoryNameNotes();
    hold(signed(1, 1), 0, 20);
    await node(2, notes).resolve('alice');
    const { promise, resolve: open } = Promise.withResolvers<void>();
    net.gate = promise;
    hold(signed(1, 2), 10, 20);
    const names = node(2, notes);
    assert.equal((await names.resolve('alice')).version, 1);
    const stopped = names.stop();
    open();
    await stopped;
    assert.equal((await node(3, notes).resolve('alice')).version, 1, 'nothing was remembered');
    await assert.rejects(names.resolve('bob'), hasCode('ABORTED'));
  });
});

describe('zones', () => {
  const [one, two] = [authorOf(1).publicKey, authorOf(2).publicKey];

  test('are asked in order, and the open zone is not', async () => {
    const { node } = setUp();
    await node(9).register('alice', rootOf(9));
    await node(9).register('bob', rootOf(9));
    await node(1).register('alice', rootOf(1), { zone: one });
    await node(2).register('alice', rootOf(2), { zone: two });
    await node(2).register('carol', rootOf(3), { zone: two });
    const trusting = (zones: Uint8Array[]): ReturnType<typeof node> =>
      node(3, new MemoryNameNotes(), { trustedZones: () => zones });
    const alice = await trusting([one, two]).resolve('alice');
    assert.deepEqual([alice.state, alice.root, alice.zone], ['ok', rootOf(1), one]);
    assert.deepEqual((await trusting([two, one]).resolve('alice')).root, rootOf(2));
    const carol = await trusting([one, two]).resolve('carol');
    assert.deepEqual([carol.root, carol.zone], [rootOf(3), two]);
    assert.equal((await trusting([one, two]).resolve('bob')).state, 'not-found');
    const open = await node(3).resolve('alice');
    assert.deepEqual([open.root, open.zone], [rootOf(9), undefined]);
  });

  test('of one storer are enough, and it costs no work', async () => {
    const profile = { name: 'costly', powNameBits: 200, powLinkBits: 0 };
    const { node, net } = setUp({ storers: 20, profile });
    await node(1).register('alice', rootOf(1), { zone: one });
    for (const { held } of net.storers.slice(1)) held.clear();
    const reader = node(3, new MemoryNameNotes(), { trustedZones: () => [one] });
    assert.equal((await reader.resolve('alice')).state, 'ok');
  });

  test('that are silent do not hand a name to the next', async () => {
    const bench = setUp();
    await bench.node(2).register('alice', rootOf(2), { zone: two });
    const reader = bench.node(3, new MemoryNameNotes(), { trustedZones: () => [one, two] });
    silence(bench, true);
    await assert.rejects(reader.resolve('alice'), hasCode('NO_ANSWER'));
  });

  test('are written by their registrar, who then goes on like any owner', async () => {
    const { node } = setUp();
    const registrar = node(1, new MemoryNameNotes(), { trustedZones: () => [one] });
    await registrar.register('alice', rootOf(1));
    assert.equal((await registrar.update('alice', rootOf(2))).version, 2);
    const untrusting = node(1);
    await untrusting.register('bob', rootOf(3), { zone: one });
    assert.equal((await untrusting.update('bob', rootOf(4))).version, 2);
    const other = node(2, new MemoryNameNotes(), { trustedZones: () => [one] });
    await assert.rejects(other.register('carol', rootOf(1)), hasCode('BAD_ARGUMENT'));
    await assert.rejects(
      other.register('carol', rootOf(1), { zone: one }),
      hasCode('BAD_ARGUMENT'),
    );
    await assert.rejects(other.update('alice', rootOf(1)), hasCode('NAME_NOT_YOURS'));
    await registrar.release('alice');
    assert.equal((await other.resolve('alice')).state, 'not-found');
  });

  test('are written with a certificate, and the highest serial wins', async () => {
    const { node, world, network } = setUp();
    const now = unixSeconds(world.clock);
    const certificate = (fill: number, serial: number): NamedCertificate => {
      const terms = { label: 'alice', owner: authorOf(fill).publicKey, serial };
      const times = { notBefore: now, notAfter: now + 86_400 };
      const signed = signCertificate({ ...terms, ...times }, { key: authorOf(1), network });
      return { ...signed, ...terms, network };
    };
    const first = node(3);
    const registered = await first.register('alice', rootOf(3), { certificate: certificate(3, 1) });
    assert.equal(registered.expires, now + 86_400, 'no longer than the certificate');
    const trusting = node(5, new MemoryNameNotes(), { trustedZones: () => [one] });
    assert.deepEqual((await trusting.resolve('alice')).root, rootOf(3));
    const late = { certificate: certificate(4, 1) };
    await assert.rejects(node(4).register('alice', rootOf(4), late), hasCode('NAME_TAKEN'));
    await node(4).register('alice', rootOf(4), { certificate: certificate(4, 2) });
    world.advance(6 * minute);
    const moved = await trusting.resolve('alice');
    assert.deepEqual([moved.root, moved.warning], [rootOf(4), 'owner-changed']);
    const other = { zone: two, certificate: certificate(4, 3) };
    await assert.rejects(node(4).register('alice', rootOf(4), other), hasCode('BAD_ARGUMENT'));
  });
});
