import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { authorOf, type NameBench, rootOf, setUp } from '../../test/support/name-bench.ts';
import { MemoryNameNotes } from '../../test/support/name-net.ts';
import { SwitchedDenials } from '../../test/support/switched-denials.ts';
import { utf8 } from '../base/bytes.ts';
import { type ErrorCode, isAltNetError } from '../base/errors.ts';
import { keyName } from '../record/label.ts';
import { nameKey } from '../record/zone.ts';

interface DeniedBench extends NameBench {
  readonly denials: SwitchedDenials;
}

function bench(): DeniedBench {
  const denials = new SwitchedDenials();
  return { ...setUp({ denials }), denials };
}

function hasCode(code: ErrorCode): (error: unknown) => boolean {
  return (error) => isAltNetError(error, code);
}

const day = 86_400_000;

describe('a denied name', () => {
  test('has a state of its own, and nobody is asked for it', async () => {
    const { denials, node, net, hold, signed } = bench();
    hold(signed(1, 1), 0, 5);
    denials.denyName('alice');
    const expected = { name: 'alice.alt', state: 'blocked', asked: 0 };
    assert.deepEqual(await node(2).resolve('alice'), expected);
    assert.deepEqual(await node(2).resolve('blog.alice'), { ...expected, name: 'blog.alice.alt' });
    denials.allowAll();
    denials.denyName(nameKey('alice'), 'revoked');
    assert.equal((await node(2).resolve('alice', { fresh: true })).state, 'revoked');
    assert.equal(net.searches, 0);
    denials.allowAll();
    assert.equal((await node(2).resolve('alice')).state, 'ok');
  });

  test('is denied whatever is remembered of it', async () => {
    const { denials, node, net, world, hold, signed } = bench();
    hold(signed(1, 1), 0, 5);
    const notes = new MemoryNameNotes();
    const names = node(2, notes);
    assert.equal((await names.resolve('alice')).state, 'ok');
    denials.denyName('alice');
    assert.equal((await names.resolve('alice')).state, 'blocked', 'from the cache');
    for (const storer of net.storers) storer.silent = true;
    assert.equal((await node(2, notes).resolve('alice')).state, 'blocked', 'from the pins');
    denials.allowAll();
    assert.equal((await node(2, notes).resolve('alice')).stale, true);
    denials.denyName(nameKey('alice'));
    world.advance(day / 2);
    assert.equal((await names.resolve('alice')).state, 'blocked', 'when an answer is stale');
  });

  test('is denied while it is being looked for', async () => {
    const { denials, node, net, hold, signed } = bench();
    hold(signed(1, 1), 0, 2); // too few to answer early
    const { promise, resolve } = Promise.withResolvers<void>();
    net.gate = promise;
    const answer = node(2).resolve('alice');
    await new Promise((done) => setImmediate(done));
    denials.denyName('alice');
    resolve();
    assert.equal((await answer).state, 'blocked');
  });

  test('is denied to its owner, who may only give it up', async () => {
    const { denials, node } = bench();
    const names = node(1);
    await names.register('alice', rootOf(1));
    denials.denyName('alice');
    assert.equal((await names.resolve('alice')).state, 'blocked');
    const blocked = hasCode('NAME_BLOCKED');
    await assert.rejects(names.register('alice', rootOf(2)), blocked);
    await assert.rejects(names.register('blog.alice', rootOf(2)), blocked);
    await assert.rejects(names.update('alice', rootOf(2)), blocked);
    await assert.rejects(names.requireWritable('alice'), blocked);
    await assert.rejects(names.transfer('alice', authorOf(3).publicKey), blocked);
    assert.equal((await names.release('alice')).name, 'alice.alt');
  });

  test('may be that of a key', async () => {
    const { denials, node } = bench();
    const names = node(1);
    const name = keyName(authorOf(1).publicKey);
    await names.register(name, rootOf(1));
    denials.denyName(name, 'revoked');
    assert.equal((await node(2).resolve(name)).state, 'revoked');
    await assert.rejects(names.update(name, rootOf(2)), hasCode('NAME_REVOKED'));
  });

  test('is not written in the zone where it is denied', async () => {
    const { denials, node } = bench();
    const zone = authorOf(1).publicKey;
    await node(1).register('alice', rootOf(1));
    denials.denyName(nameKey('alice', zone), 'revoked');
    const inZone = node(1).register('alice', rootOf(1), { zone });
    await assert.rejects(inZone, hasCode('NAME_REVOKED'));
    await node(1).register('bob', rootOf(1), { zone });
  });

  test('hides none of a zone before it, and all behind it', async () => {
    const { denials, node } = bench();
    const [first, second] = [authorOf(11), authorOf(12)].map(({ publicKey }) => publicKey);
    assert.ok(first && second);
    await node(11).register('alice', rootOf(1), { zone: first });
    await node(12).register('alice', rootOf(2), { zone: second });
    const trustedZones = (): Uint8Array[] => [first, second];
    const resolve = async (): Promise<string> =>
      (await node(2, undefined, { trustedZones }).resolve('alice')).state;
    denials.denyName(nameKey('alice', second), 'revoked');
    assert.equal(await resolve(), 'ok');
    denials.allowAll();
    denials.denyName(nameKey('alice', first), 'revoked');
    assert.equal(await resolve(), 'revoked');
  });
});

describe('a denied root', () => {
  test('is shown by no name that is written here', async () => {
    const { denials, node } = bench();
    const names = node(1);
    await names.register('alice', rootOf(1));
    denials.denyBlock(rootOf(2).multihash.digest);
    const blocked = hasCode('CONTENT_BLOCKED');
    await assert.rejects(names.register('bob', rootOf(2)), blocked);
    await assert.rejects(names.update('alice', rootOf(2)), blocked);
    await assert.rejects(names.update('blog.alice', rootOf(2)), blocked);
    const subnames = new Map([['blog', rootOf(2)]]);
    await assert.rejects(names.update('alice', rootOf(3), { subnames }), blocked);
    await assert.rejects(names.update('alice', rootOf(3), { zoneFile: rootOf(2) }), blocked);
    assert.equal((await names.update('alice', rootOf(3))).version, 2);
  });

  test('of a zone file is not read again from memory', async () => {
    const { denials, node, files } = bench();
    const zoneFile = rootOf(50, 0x55);
    files.set(zoneFile.toString(), utf8(JSON.stringify({ blog: rootOf(2).toString() })));
    await node(1).register('alice', rootOf(1), { zoneFile });
    const names = node(2);
    assert.equal((await names.resolve('blog.alice')).state, 'ok');
    files.clear(); // as the sites then say that it cannot be had
    assert.equal((await names.resolve('blog.alice')).state, 'ok');
    denials.denyBlock(zoneFile.multihash.digest);
    await assert.rejects(names.resolve('blog.alice'), hasCode('NO_PROVIDERS'));
  });
});
