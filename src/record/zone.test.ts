import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CID } from 'multiformats/cid';
import {
  alice,
  bob,
  day,
  issued,
  registrar,
  rightNames,
  sampleAuthor,
} from '../../test/support/name-samples.ts';
import { AltNetError } from '../base/errors.ts';
import { checkCertificate, checkRecord, checkWork } from './acceptance.ts';
import { storeStatuses, storeStatusName } from './kinds.ts';
import { makeNameRecord, makeNameTombstone, parseName } from './name.ts';
import { networkProfiles } from './network.ts';
import { makePkNameRecord } from './pkname.ts';
import { storedKind } from './registry.ts';
import { compareClaims } from './transfer.ts';
import {
  type Certificate,
  certificateOf,
  isCertified,
  isOpenZone,
  nameKey,
  openZone,
  serialOf,
  signCertificate,
  zoneOf,
} from './zone.ts';

const root = CID.parse('bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi');
const zone = registrar.key.publicKey;
const stamp = { seq: 1n, issued };
const { network } = registrar;

function certify(owner = alice, serial = 1): Certificate {
  const times = { notBefore: issued - day, notAfter: issued + 200 * day };
  const terms = { label: 'alice', owner: owner.key.publicKey, serial, ...times };
  return signCertificate(terms, registrar);
}

test('a zone is hashed into the keys of its names', () => {
  assert.deepEqual(nameKey('alice'), nameKey('alice', openZone));
  assert.notDeepEqual(nameKey('alice', zone), nameKey('alice'));
  assert.notDeepEqual(nameKey('alice', zone), nameKey('alice', alice.key.publicKey));
  assert.ok(isOpenZone(new Uint8Array(32)) && !isOpenZone(zone));
});

test('the zone of a record is its certificate’s, the open one or its author’s own', () => {
  const certified = makeNameRecord({ label: 'alice', root, certificate: certify() }, stamp, alice);
  assert.deepEqual(zoneOf(certified), zone);
  assert.equal(serialOf(certified), 1);
  assert.deepEqual(parseName(certified)?.certificate, certificateOf(certified));

  const open = makeNameRecord({ label: 'alice', root }, stamp, alice);
  assert.deepEqual(zoneOf(open), openZone);
  assert.equal(certificateOf(open), undefined);
  assert.equal(serialOf(open), 0);

  const own = makeNameRecord({ label: 'alice', root }, stamp, registrar, { zone });
  assert.deepEqual(zoneOf(own), zone);

  const foreign = makeNameRecord({ label: 'alice', root }, stamp, alice, { zone });
  assert.equal(zoneOf(foreign), undefined, 'neither open nor her own');
  assert.equal(zoneOf(makePkNameRecord({ root }, stamp, alice)), undefined);
  assert.equal(certificateOf(makePkNameRecord({ root }, stamp, alice)), undefined);
});

test('a certificate holds for one name, one owner and one network', () => {
  const certificate = certify();
  const key = nameKey('alice', zone);
  const owner = alice.key.publicKey;
  assert.ok(isCertified(certificate, { key, owner, network }));
  assert.ok(!isCertified(certificate, { key: nameKey('bob', zone), owner, network }));
  assert.ok(!isCertified(certificate, { key, owner: bob.key.publicKey, network }));
  assert.ok(!isCertified(certificate, { key, owner, network: new Uint8Array(16) }));
});

test('a certificate covers records from notBefore to notAfter, at both ends', () => {
  const terms = { label: 'alice', owner: alice.key.publicKey, serial: 1 };
  const status = (notBefore: number, notAfter: number): string => {
    const certificate = signCertificate({ ...terms, notBefore, notAfter }, registrar);
    const exact = { ...stamp, expires: issued + day };
    const record = makeNameRecord({ label: 'alice', root, certificate }, exact, alice);
    return storeStatusName(checkCertificate(record, network));
  };
  assert.equal(status(issued, issued + day), 'OK');
  assert.equal(status(issued + 1, issued + day), 'BAD_CERT');
  assert.equal(status(issued, issued + day - 1), 'BAD_CERT');
});

test('a record lives no longer than its certificate, unless it is told to', () => {
  const terms = { label: 'alice', owner: alice.key.publicKey, serial: 1, notBefore: 0 };
  const certificate = signCertificate({ ...terms, notAfter: issued + day }, registrar);
  const body = { label: 'alice', root, certificate };
  assert.equal(makeNameRecord(body, stamp, alice).expires, issued + day);
  assert.equal(makeNameTombstone(body, stamp, alice).expires, issued + day);
});

test('names of zones owe no work', () => {
  const { main } = networkProfiles;
  const open = makeNameRecord({ label: 'alice', root }, stamp, alice);
  assert.equal(checkWork(open, main), storeStatuses.POW);
  const work = (what: string): number | undefined => {
    const record = rightNames[what];
    return record && checkWork(record, main);
  };
  assert.equal(work('certified by its zone'), storeStatuses.OK);
  assert.equal(work('certified, withdrawn'), storeStatuses.OK);
  assert.equal(work('written by its zone'), storeStatuses.OK);
  assert.equal(work('handed over'), storeStatuses.POW);
  assert.equal(storedKind(open.kind)?.powBits(main), 22, 'what a writer should expect');
});

test('in a zone the highest serial wins, then the order of records', () => {
  const by = (owner: typeof alice, serial: number, seq = 1n): ReturnType<typeof makeNameRecord> =>
    makeNameRecord(
      { label: 'alice', root, certificate: certify(owner, serial) },
      { ...stamp, seq },
      owner,
    );
  assert.ok(compareClaims(by(bob, 2), by(alice, 1, 99n), network) > 0);
  assert.ok(compareClaims(by(alice, 1, 99n), by(bob, 2), network) < 0);
  assert.ok(compareClaims(by(alice, 2, 1n), by(alice, 1, 99n), network) > 0, 'of one owner too');
  assert.ok(compareClaims(by(alice, 2, 2n), by(alice, 2, 1n), network) > 0);
  const [a, b] = [by(alice, 3), by(bob, 3)];
  assert.equal(Math.sign(compareClaims(a, b, network)), Buffer.compare(a.hash, b.hash));
  const own = makeNameRecord({ label: 'alice', root }, { ...stamp, seq: 9n }, registrar, { zone });
  assert.ok(compareClaims(own, by(alice, 1), network) < 0, 'without a certificate the serial is 0');
});

test('what cannot be certified is the caller’s bug', () => {
  const terms = { label: 'alice', owner: alice.key.publicKey, serial: 1, notBefore: 0 };
  assert.throws(
    () => signCertificate({ ...terms, serial: 2 ** 53, notAfter: 1 }, registrar),
    (error) => error instanceof AltNetError && error.code === 'INTERNAL',
  );
  const certificate = certify();
  assert.throws(
    () =>
      makeNameRecord({ label: 'alice', root, certificate }, stamp, alice, {
        zone: sampleAuthor(9).key.publicKey,
      }),
    (error) => error instanceof AltNetError && error.code === 'INTERNAL',
  );
});

test('a body that no record can hold is refused before it is signed', () => {
  const labels = Array.from({ length: 10 }, (_, i) => `${'x'.repeat(60)}${i}`);
  const subnames = new Map(labels.map((label) => [label, root]));
  assert.throws(
    () => makeNameRecord({ label: 'alice', root, subnames }, stamp, alice),
    (error) => error instanceof AltNetError && error.code === 'VALUE_TOO_BIG',
  );
  const short = new Map(labels.map((label) => [label.slice(-20), root]));
  const record = makeNameRecord({ label: 'alice', root, subnames: short }, stamp, alice);
  const judging = { nowUnixSeconds: issued, profile: networkProfiles.local, network };
  assert.equal(checkRecord(record, judging), storeStatuses.OK);
  assert.deepEqual(parseName(record)?.subnames, short);
});
