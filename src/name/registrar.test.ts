import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { authorOf, rootOf } from '../../test/support/name-bench.ts';
import { MemoryNameNotes } from '../../test/support/name-net.ts';
import { registrarFill, setUpRegistrar } from '../../test/support/registrar-bench.ts';
import { toHex } from '../base/bytes.ts';
import { unixSeconds } from '../base/clock.ts';
import { type ErrorCode, isAltNetError } from '../base/errors.ts';
import type { SignedRecord } from '../record/envelope.ts';
import { makeNameRecord, nameKey } from '../record/name.ts';
import { serialOf } from '../record/zone.ts';
import { parseCertificate } from './certificate-text.ts';

const day = 86_400;
const dayMs = day * 1000;
const bob = authorOf(2).publicKey;
const carol = authorOf(3).publicKey;
const zone = authorOf(registrarFill).publicKey;

function hasCode(code: ErrorCode, message?: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isAltNetError(error, code), String(error));
    if (message) assert.match(error.message, message);
    return true;
  };
}

describe('certifying', () => {
  test('lets an author write the name, and nobody else', async () => {
    const { registrar, member, world } = setUpRegistrar();
    const issued = await registrar.certify('Alice.alt', bob, { days: 30 });
    const now = unixSeconds(world.clock);
    assert.deepEqual(
      [issued.name, issued.state, issued.notAfter],
      ['alice.alt', 'valid', now + 30 * day],
    );
    assert.deepEqual(registrar.list(), [issued]);
    const certificate = parseCertificate(issued.text);
    const written = await member(2).register('alice', rootOf(1), { certificate });
    assert.equal(written.expires, issued.notAfter, 'no longer than the certificate');
    const seen = await member(4).resolve('alice');
    assert.deepEqual([seen.state, seen.owner, seen.zone], ['ok', bob, zone]);
    const by = { certificate };
    await assert.rejects(member(3).register('alice', rootOf(2), by), hasCode('CERTIFICATE_BAD'));
    await assert.rejects(member(3).register('alice', rootOf(2)), hasCode('BAD_ARGUMENT'));
  });

  test('gives serials that grow, also after the journal was lost', async () => {
    const { registrar, again, member, world } = setUpRegistrar();
    const serials: number[] = [];
    for (let i = 0; i < 3; i++) serials.push((await registrar.certify('alice', bob)).serial);
    const last = registrar.list()[0]?.text ?? '';
    const certificate = parseCertificate(last);
    await member(2).register('alice', rootOf(1), { certificate });
    const lost = again(new MemoryNameNotes());
    serials.push(
      (await lost.certify('alice', carol)).serial,
      (await lost.certify('bob', bob)).serial,
    );
    const [first = 0, second = 0, third = 0, fourth = 0, other = 0] = serials;
    assert.deepEqual([second, third], [first + 1, first + 2]);
    assert.equal(fourth, third + 1, 'the network has seen it');
    assert.equal(other, unixSeconds(world.clock), 'nobody has: then it is the time');
  });

  test('goes on while nobody answers', async () => {
    const { registrar, net } = setUpRegistrar();
    for (const storer of net.storers) storer.silent = true;
    assert.equal((await registrar.certify('alice', bob)).state, 'valid');
  });

  test('refuses what no registrar can give', async () => {
    const { registrar } = setUpRegistrar();
    await assert.rejects(registrar.certify('blog.alice', bob), hasCode('BAD_NAME'));
    await assert.rejects(registrar.certify('gns', bob), hasCode('BAD_NAME'));
    for (const days of [0, 1.5, 3651, Number.NaN]) {
      await assert.rejects(registrar.certify('alice', bob, { days }), hasCode('BAD_ARGUMENT'));
    }
    assert.deepEqual(registrar.list(), []);
  });

  test('again is a renewal: the owner accepts it, and the name lives on', async () => {
    const { registrar, member, world } = setUpRegistrar();
    const hers = member(2);
    const first = await registrar.certify('alice', bob, { days: 10 });
    await hers.register('alice', rootOf(1), { certificate: parseCertificate(first.text) });
    world.advance(8 * dayMs);
    const second = await registrar.certify('alice', bob, { days: 365 });
    const renewed = await hers.accept(parseCertificate(second.text));
    assert.deepEqual([renewed?.version, renewed?.root], [2, rootOf(1)]);
    assert.equal(renewed?.expires, unixSeconds(world.clock) + 90 * day);
    assert.equal(hers.list()[0]?.certifiedUntil, second.notAfter);
    assert.equal(await hers.accept(parseCertificate(second.text)), undefined, 'nothing to do');
    const late = hers.accept(parseCertificate(first.text));
    await assert.rejects(late, hasCode('CERTIFICATE_BAD', /later one/));
  });

  test('to another moves the name when that one writes it', async () => {
    const { registrar, member, world } = setUpRegistrar();
    const hers = member(2);
    const text = async (owner: Uint8Array): Promise<string> =>
      (await registrar.certify('alice', owner)).text;
    await hers.register('alice', rootOf(1), { certificate: parseCertificate(await text(bob)) });
    const theirs = parseCertificate(await text(carol));
    assert.deepEqual((await member(4).resolve('alice')).owner, bob);
    await member(3).register('alice', rootOf(2), { certificate: theirs });
    world.advance(6 * 60_000);
    assert.deepEqual((await member(4).resolve('alice')).owner, carol);
    await assert.rejects(hers.update('alice', rootOf(3)), hasCode('NAME_TAKEN'));
  });
});

describe('withdrawing', () => {
  test('takes a name away wherever it resolves, within minutes', async () => {
    const { registrar, member, world } = setUpRegistrar();
    const { text } = await registrar.certify('alice', bob);
    const hers = member(2);
    const visitor = member(4);
    const certificate = parseCertificate(text);
    await hers.register('alice', rootOf(1), { certificate });
    assert.equal((await visitor.resolve('alice')).state, 'ok');
    assert.deepEqual(await registrar.withdraw('alice'), { name: 'alice.alt', stored: 5 });
    assert.equal(registrar.list()[0]?.state, 'withdrawn');
    world.advance(5 * 60_000);
    const gone = await visitor.resolve('alice');
    assert.deepEqual(
      [gone.state, gone.registrarsOnly, gone.freeAt],
      ['not-found', true, undefined],
    );
    await assert.rejects(hers.update('alice', rootOf(2)), hasCode('CERTIFICATE_BAD', /withdrawn/));
    const again = member(2).register('alice', rootOf(2), { certificate });
    await assert.rejects(again, hasCode('CERTIFICATE_BAD', /withdrawn/));
  });

  test('counts at once where the node itself comes to know of it', async () => {
    const { registrar, member, net } = setUpRegistrar();
    const certificate = parseCertificate((await registrar.certify('alice', bob)).text);
    const hers = member(2);
    await hers.register('alice', rootOf(1), { certificate });
    const place = toHex(nameKey('alice', zone));
    const [storer] = net.storers;
    const withdrawalsHeld = (): SignedRecord[] => {
      const record = storer?.held.get(place);
      return record?.tombstone ? [record] : [];
    };
    const holding = member(4, undefined, { withdrawalsHeld });
    const asking = member(5);
    for (const visitor of [holding, asking]) {
      assert.equal((await visitor.resolve('alice')).state, 'ok');
    }
    const before = net.searches;
    assert.equal((await holding.resolve('alice')).state, 'ok');
    assert.equal(net.searches, before, 'from memory');
    await registrar.withdraw('alice');
    assert.equal((await holding.resolve('alice')).state, 'not-found', 'it was given to this node');
    assert.equal((await asking.resolve('alice')).state, 'ok', 'nobody has told it');
    await assert.rejects(asking.requireWritable('alice', { certificate }));
    await assert.rejects(asking.update('alice', rootOf(3)));
    assert.equal((await asking.resolve('alice')).state, 'not-found', 'it was seen meanwhile');
    const searches = net.searches;
    for (let i = 0; i < 3; i++) await holding.resolve('alice');
    assert.equal(net.searches, searches, 'one withdrawal makes one search');
    assert.deepEqual(holding.counts(), { ok: 2, 'not-found': 4 });
  });

  test('lasts as long as the certificate could have', async () => {
    const { registrar, member, world, net, network } = setUpRegistrar();
    const { text } = await registrar.certify('alice', bob, { days: 1000 });
    const certificate = parseCertificate(text);
    await registrar.withdraw('alice');
    await using running = registrar;
    running.start();
    for (let days = 0; days < 200; days += 10) {
      await world.advanceAsync(10 * dayMs);
      const issued = unixSeconds(world.clock);
      const stamp = { seq: 99n, issued };
      const key = authorOf(2);
      const body = { label: 'alice', root: rootOf(1), certificate };
      net.publish(makeNameRecord(body, stamp, { key, network })); // whatever he signs
      assert.equal((await member(4).resolve('alice')).state, 'not-found', `day ${days}`);
    }
    const held = net.storers[0]?.held.get(toHex(nameKey('alice', zone)));
    const now = unixSeconds(world.clock);
    assert.ok(held?.tombstone && held.expires > now + 30 * day, 'it is given to storers anew');
    assert.ok(serialOf(held) > certificate.serial);
  });

  test('is said after the next start when it was killed in between', async () => {
    const { registrar, again, member, world, own } = setUpRegistrar();
    const { text } = await registrar.certify('alice', bob);
    await member(2).register('alice', rootOf(1), { certificate: parseCertificate(text) });
    own.ownZone.withdraw = () => Promise.reject(new Error('killed'));
    await assert.rejects(registrar.withdraw('alice'), /killed/);
    Reflect.deleteProperty(own.ownZone, 'withdraw');
    await using restarted = again();
    assert.equal(restarted.list()[0]?.state, 'withdrawn');
    restarted.start();
    await world.advanceAsync(60_000);
    assert.equal((await member(4).resolve('alice')).state, 'not-found');
  });

  test('is for names that it has given', async () => {
    const { registrar, again, member } = setUpRegistrar();
    const isUnknown = hasCode('NAME_NOT_FOUND', /you have not certified alice\.alt/);
    await assert.rejects(registrar.withdraw('alice'), isUnknown);
    const { text } = await registrar.certify('alice', bob);
    await member(2).register('alice', rootOf(1), { certificate: parseCertificate(text) });
    const lost = again(new MemoryNameNotes());
    assert.equal((await lost.withdraw('alice')).stored, 5, 'the network shows it');
    assert.equal((await member(4).resolve('alice')).state, 'not-found');
  });

  test('can be followed by a new certificate, for whomever', async () => {
    const { registrar, member, world } = setUpRegistrar();
    const give = async (owner: Uint8Array): Promise<ReturnType<typeof parseCertificate>> =>
      parseCertificate((await registrar.certify('alice', owner)).text);
    await member(2).register('alice', rootOf(1), { certificate: await give(bob) });
    await registrar.withdraw('alice');
    await member(3).register('alice', rootOf(2), { certificate: await give(carol) });
    world.advance(6 * 60_000);
    assert.deepEqual((await member(4).resolve('alice')).owner, carol);
  });

  test('happens by itself when the last certificate ends before an earlier one', async () => {
    const { registrar, member, world } = setUpRegistrar();
    const long = parseCertificate((await registrar.certify('alice', bob, { days: 400 })).text);
    await member(2).register('alice', rootOf(1), { certificate: long });
    const short = parseCertificate((await registrar.certify('alice', carol, { days: 10 })).text);
    await member(3).register('alice', rootOf(2), { certificate: short });
    await using running = registrar;
    running.start();
    await world.advanceAsync(11 * dayMs);
    assert.equal((await member(4).resolve('alice')).state, 'not-found');
    assert.equal(registrar.list()[0]?.state, 'withdrawn');
  });
});

describe('a name of the registrar itself', () => {
  test('needs no certificate, unless it was given before', async () => {
    const { registrar, own, member, world } = setUpRegistrar();
    assert.equal(await registrar.leaveForSelf('alice'), undefined);
    await own.register('alice', rootOf(1));
    assert.deepEqual((await member(4).resolve('alice')).owner, zone);
    await registrar.certify('bob', bob);
    await assert.rejects(registrar.leaveForSelf('bob'), hasCode('NAME_TAKEN'));
    await registrar.withdraw('bob');
    const certificate = await registrar.leaveForSelf('bob');
    await own.register('bob', rootOf(2), { certificate });
    world.advance(6 * 60_000);
    const seen = await member(4).resolve('bob');
    assert.deepEqual([seen.state, seen.owner, seen.root], ['ok', zone, rootOf(2)]);
    const later = await registrar.leaveForSelf('bob');
    assert.equal(later?.serial, certificate?.serial, 'it has it by now');
  });
});
