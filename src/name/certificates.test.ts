import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { authorOf, rootOf, setUp } from '../../test/support/name-bench.ts';
import { MemoryNameNotes } from '../../test/support/name-net.ts';
import { unixSeconds } from '../base/clock.ts';
import { isAltNetError } from '../base/errors.ts';
import { networkId, networkProfiles } from '../record/network.ts';
import { signCertificate } from '../record/zone.ts';
import type { NamedCertificate } from './certificate-text.ts';

const day = 86_400;
const zone = authorOf(7).publicKey;

function setUpOwner(): ReturnType<typeof setUp> & {
  readonly sign: (change?: Partial<NamedCertificate>) => NamedCertificate;
} {
  const bench = setUp();
  const start = unixSeconds(bench.world.clock);
  const sign = (change: Partial<NamedCertificate> = {}): NamedCertificate => {
    const owner = authorOf(2).publicKey;
    const times = { notBefore: start, notAfter: start + 100 * day };
    const terms = { label: 'alice', owner, serial: 5, ...times, ...change };
    const network = change.network ?? bench.network;
    return { ...signCertificate(terms, { key: authorOf(7), network }), ...terms, network };
  };
  return { ...bench, sign };
}

function badBecause(why: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isAltNetError(error, 'CERTIFICATE_BAD'), String(error));
    assert.match(error.message, why);
    return true;
  };
}

describe('a certificate that cannot be used', () => {
  const start = unixSeconds(setUp().world.clock);
  const cases: readonly [string, Partial<NamedCertificate>, RegExp][] = [
    ['has ended', { notAfter: start }, /ended on 2026-01-01/],
    ['has not begun', { notBefore: start + 60 }, /begins on 2026-01-01 00:01 UTC/],
    ['is for another author', { owner: authorOf(3).publicKey }, /another author/],
    ['is for another name', { label: 'bob' }, /for bob\.alt/],
    ['is of another network', { network: networkId(networkProfiles.main) }, /another network/],
  ];
  for (const [what, change, why] of cases) {
    test(`${what}: nothing comes of it`, async () => {
      const { node, net, sign } = setUpOwner();
      const notes = new MemoryNameNotes();
      const names = node(2, notes, { trustedZones: () => [zone] });
      const certificate = sign(change);
      await assert.rejects(names.register('alice', rootOf(1), { certificate }), badBecause(why));
      if (what !== 'is for another name')
        await assert.rejects(names.accept(certificate), badBecause(why));
      await assert.rejects(names.requireWritable('alice', { certificate }), badBecause(why));
      assert.deepEqual([notes.list(''), names.list()], [[], []]);
      assert.ok(net.storers.every(({ held }) => held.size === 0));
    });
  }

  test('has a wrong signature, or a registrar whom the node does not trust', async () => {
    const { node, sign } = setUpOwner();
    const forged = { ...sign(), serial: 6 };
    await assert.rejects(node(2).accept(forged), badBecause(/signature/));
    const names = node(2, new MemoryNameNotes(), { trustedZones: () => [authorOf(8).publicKey] });
    await assert.rejects(names.accept(sign()), badBecause(/does not trust/));
  });
});

test('what was accepted serves when the name is registered, after a restart too', async () => {
  const { node, sign } = setUpOwner();
  const notes = new MemoryNameNotes();
  const trusting = { trustedZones: () => [zone] };
  assert.equal(await node(2, notes, trusting).accept(sign()), undefined);
  await assert.rejects(node(3, notes, trusting).register('alice', rootOf(1)), {
    code: 'BAD_ARGUMENT',
    message: /registrars/,
  });
  const names = node(2, notes, trusting);
  await names.requireWritable('alice');
  await names.register('alice', rootOf(1));
  const [own] = names.list();
  assert.deepEqual([own?.zone, own?.certifiedUntil], [zone, sign().notAfter]);
  assert.equal((await names.update('alice', rootOf(2))).version, 2);
  await names.release('alice');
  assert.equal(
    (await node(4, new MemoryNameNotes(), trusting).resolve('alice')).state,
    'not-found',
  );
});

test('what was accepted serves as well where no registrar is trusted', async () => {
  const { node, sign } = setUpOwner();
  const names = node(2);
  await names.accept(sign());
  await names.register('alice', rootOf(1));
  assert.deepEqual(names.list()[0]?.zone, zone);
  assert.equal((await names.resolve('alice')).state, 'not-found', 'this node sees open names');
  const visitor = node(4, new MemoryNameNotes(), { trustedZones: () => [zone] });
  assert.deepEqual((await visitor.resolve('alice')).root, rootOf(1));
});

test('an open name of this author stays one where no registrar is trusted', async () => {
  const { node, sign } = setUpOwner();
  const names = node(2);
  await names.register('alice', rootOf(1));
  await names.accept(sign());
  assert.equal((await names.register('alice', rootOf(2))).version, 2);
  assert.deepEqual((await names.resolve('alice')).root, rootOf(2));
});

test('a name whose certificate has ended is expired, and can be had back with a new one', async () => {
  const { node, world, sign } = setUpOwner();
  const trusting = { trustedZones: () => [zone] };
  const names = node(2, new MemoryNameNotes(), trusting);
  await names.register('alice', rootOf(1), {
    certificate: sign({ notAfter: sign().notBefore + day }),
  });
  world.advance(2 * day * 1000);
  const visitor = node(4, new MemoryNameNotes(), trusting);
  assert.equal((await visitor.resolve('alice')).state, 'expired');
  await assert.rejects(names.update('alice', rootOf(2)), badBecause(/has ended/));
  await assert.rejects(names.release('alice'), badBecause(/has ended/));
  await names.register('alice', rootOf(2), { certificate: sign({ serial: 6 }) });
  world.advance(6 * 60_000);
  assert.deepEqual((await visitor.resolve('alice')).root, rootOf(2));
});

test('a name below one has no certificate of its own', async () => {
  const { node, sign } = setUpOwner();
  const names = node(2, new MemoryNameNotes(), { trustedZones: () => [zone] });
  const certificate = sign();
  await names.register('alice', rootOf(1), { certificate });
  await assert.rejects(names.register('blog.alice', rootOf(2), { certificate }), {
    code: 'BAD_ARGUMENT',
  });
  assert.equal((await names.register('blog.alice', rootOf(2))).version, 2);
});

test('an own name goes on when its registrar is no longer trusted', async () => {
  const { node, sign } = setUpOwner();
  let zones = [zone];
  const names = node(2, new MemoryNameNotes(), { trustedZones: () => zones });
  await names.register('alice', rootOf(1), { certificate: sign() });
  zones = [authorOf(8).publicKey];
  assert.equal((await names.resolve('alice')).state, 'not-found');
  assert.equal((await names.register('alice', rootOf(2))).version, 2);
  zones = [];
  assert.equal((await names.update('alice', rootOf(3))).version, 3);
  zones = [zone];
  assert.deepEqual((await names.resolve('alice')).root, rootOf(3));
});

test('an open name of before goes on where only names of registrars resolve', async () => {
  const { node } = setUpOwner();
  let zones: Uint8Array[] = [];
  const names = node(2, new MemoryNameNotes(), { trustedZones: () => zones });
  await names.register('alice', rootOf(1));
  assert.deepEqual((await names.resolve('alice')).root, rootOf(1));
  zones = [zone];
  assert.deepEqual((await names.resolve('alice')).state, 'not-found', 'at once, not from memory');
  assert.equal((await names.update('alice', rootOf(2))).version, 2);
  zones = [];
  assert.deepEqual((await names.resolve('alice')).root, rootOf(2));
});
