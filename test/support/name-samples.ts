/**
 * Name records with every kind of title, right and wrong: the source of test/vectors/records/
 * names.json and a start for fuzzing. Wrong ones are signed like right ones, as a hostile author
 * would: each breaks one rule.
 */
import { CID } from 'multiformats/cid';
import type { Bytes } from '../../src/base/bytes.ts';
import { SigningKey } from '../../src/identity/key.ts';
import { type BodyValue, encodeBody } from '../../src/record/body.ts';
import { seqOf, signRecord, type SignedRecord } from '../../src/record/envelope.ts';
import { recordKinds, type StoreStatusName } from '../../src/record/kinds.ts';
import { makeNameRecord, makeNameTombstone, nameKey } from '../../src/record/name.ts';
import { networkId, networkProfiles } from '../../src/record/network.ts';
import type { Signer } from '../../src/record/stamp.ts';
import { signTransfer, type TransferLink, type TransferOffer } from '../../src/record/transfer.ts';
import { type Certificate, openZone, signCertificate } from '../../src/record/zone.ts';

const network = networkId(networkProfiles.local);
const elsewhere = networkId(networkProfiles.main);

/** An author that is the same for the same number. */
export function sampleAuthor(n: number): Signer {
  return { key: new SigningKey('author', new Uint8Array(32).fill(n)), network };
}

export const alice: Signer = sampleAuthor(1);
export const bob: Signer = sampleAuthor(3);
export const carol: Signer = sampleAuthor(4);
export const registrar: Signer = sampleAuthor(5);
export const issued = 1_800_000_000;
export const day = 86_400;

const label = 'alice';
const root = CID.parse('bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi');
const zone = registrar.key.publicKey;
const stamp = { seq: seqOf(0, 1), issued };
const year = 365 * day;

function certify(
  over: Partial<{ label: string; owner: Bytes; serial: number; until: number; from: number }> = {},
  by: Signer = registrar,
): Certificate {
  const { owner = alice.key.publicKey, serial = 7, from = issued - day } = over;
  const terms = { label: over.label ?? label, owner, serial, notBefore: from };
  return signCertificate({ ...terms, notAfter: over.until ?? issued + year }, by);
}

function offer(
  to: Signer,
  newEpoch: number,
  by: Signer,
  over: { label?: string } = {},
): TransferOffer {
  const terms = { label: over.label ?? label, newOwner: to.key.publicKey, newEpoch };
  return signTransfer({ ...terms, notAfter: issued + 30 * day }, by);
}

/** As the new owner shows it. */
function link(from: Signer, to: Signer, newEpoch: number): TransferLink {
  const { newOwner: _to, ...signed } = offer(to, newEpoch, from);
  return { prevOwner: from.key.publicKey, ...signed };
}

const toBob = link(alice, bob, 1);
const toCarol = link(bob, carol, 2);
const backToAlice = link(carol, alice, 3);
const subnames = new Map([
  ['www', root],
  ['a', root],
  ['xn--bcher-kva', root],
]);
const zoneFile = CID.parse('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy');

/** Valid in the local network at `issued`. */
export const rightNames: Readonly<Record<string, SignedRecord>> = {
  'names below it': makeNameRecord({ label, root, subnames, zoneFile }, stamp, alice),
  'certified by its zone': makeNameRecord({ label, root, certificate: certify() }, stamp, alice),
  'certified, withdrawn': makeNameTombstone({ label, certificate: certify() }, stamp, alice),
  'written by its zone': makeNameRecord({ label, root }, stamp, registrar, { zone }),
  'written by its zone, withdrawn': makeNameTombstone(label, stamp, registrar, { zone }),
  'certified by its zone for itself': makeNameRecord(
    { label, root, certificate: certify({ owner: zone, serial: Number.MAX_SAFE_INTEGER }) },
    stamp,
    registrar,
  ),
  offered: makeNameRecord({ label, root, offer: offer(bob, 1, alice) }, stamp, alice),
  'handed over': makeNameRecord(
    { label, root, transfers: [toBob] },
    { issued, seq: seqOf(1, 1) },
    bob,
  ),
  'handed over three times': makeNameRecord(
    { label, root, transfers: [toBob, toCarol, backToAlice] },
    { issued, seq: seqOf(3, 9) },
    alice,
  ),
  'handed over, withdrawn': makeNameTombstone(
    { label, transfers: [toBob] },
    { issued, seq: seqOf(1, 2) },
    bob,
  ),
};

/** A record with these fields beside the label, whatever they say. */
function forge(
  fields: Readonly<Record<number, BodyValue>>,
  over: { by?: Signer; zone?: Bytes; seq?: bigint; expires?: number; tombstone?: boolean } = {},
): SignedRecord {
  const { by = alice, seq = stamp.seq, expires = issued + 90 * day, tombstone = false } = over;
  const values: [number, BodyValue][] = Object.entries({
    1: label,
    ...(tombstone ? {} : { 2: root.bytes }),
    ...fields,
  }).map(([number, value]) => [Number(number), value]);
  const kind = recordKinds.name;
  const rest = { kind, tombstone, seq, issued, expires, powNonce: new Uint8Array(8) };
  const key = nameKey(label, over.zone ?? openZone);
  return signRecord({ ...rest, key, body: encodeBody(new Map(values)) }, by.key, network);
}

type Items = readonly BodyValue[];

function certItems(certificate: Certificate): Items {
  const { serial, notBefore, notAfter, signature } = certificate;
  return [certificate.zone, serial, notBefore, notAfter, signature];
}

function linkItems({ prevOwner, newEpoch, notAfter, signature }: TransferLink): Items {
  return [prevOwner, newEpoch, notAfter, signature];
}

function offerItems({ newOwner, newEpoch, notAfter, signature }: TransferOffer): Items {
  return [newOwner, newEpoch, notAfter, signature];
}

function replaced(items: Items, at: number, value: BodyValue): Items {
  return items.with(at, value);
}

const certified = (items: Items, over: { expires?: number } = {}): SignedRecord =>
  forge({ 5: items }, { zone, ...over });
const handed = (...links: readonly BodyValue[]): SignedRecord =>
  forge({ 4: links }, { by: bob, seq: seqOf(1, 1) });
const offered = (items: BodyValue): SignedRecord => forge({ 8: items });
const withSubnames = (value: BodyValue): SignedRecord => forge({ 3: value });

function manySubnames(count: number): ReadonlyMap<string, Bytes> {
  return new Map(Array.from({ length: count }, (_, i) => [`s${i}`, root.bytes]));
}

const inNetwork = (signer: Signer): Signer => ({ ...signer, network: elsewhere });

const badCertificates: Readonly<Record<string, SignedRecord>> = {
  'certified by another than the zone': certified(replaced(certItems(certify({}, bob)), 0, zone)),
  'certified for another author': certified(certItems(certify({ owner: bob.key.publicKey }))),
  'certified for another label': certified(certItems(certify({ label: 'bob' }))),
  'certified in another network': certified(certItems(certify({}, inNetwork(registrar)))),
  'certified with another serial': certified(replaced(certItems(certify()), 1, 8)),
  'certified with another notBefore': certified(replaced(certItems(certify()), 2, issued)),
  'certified with another notAfter': certified(replaced(certItems(certify()), 3, 0xffff_ffff)),
  'issued before its certificate': certified(certItems(certify({ from: issued + 1 }))),
  'expires after its certificate': certified(certItems(certify({ until: issued + 90 * day - 1 }))),
  'withdrawn without being certified': forge(
    { 5: certItems(certify({ owner: bob.key.publicKey })) },
    { zone, tombstone: true },
  ),
};

const badTransfers: Readonly<Record<string, SignedRecord>> = {
  'handed over by nobody': handed(replaced(linkItems(toBob), 3, new Uint8Array(64))),
  'handed over by another': handed(replaced(linkItems(link(carol, bob, 1)), 0, toBob.prevOwner)),
  'handed over to another': handed(linkItems(link(alice, carol, 1))),
  'handed over in another network': handed(linkItems(link(inNetwork(alice), bob, 1))),
  'handed over with another epoch': forge(
    { 4: [replaced(linkItems(toBob), 1, 2)] },
    { by: bob, seq: seqOf(2, 1) },
  ),
  'handed over with another notAfter': handed(replaced(linkItems(toBob), 2, 0xffff_ffff)),
  'handed over at another epoch than its own': forge(
    { 4: [linkItems(toBob)] },
    { by: bob, seq: seqOf(2, 1) },
  ),
  'handed over at epoch 0': forge({ 4: [linkItems(link(alice, bob, 0))] }, { by: bob }),
  'handed over to oneself': forge({ 4: [linkItems(link(alice, alice, 1))] }, { seq: seqOf(1, 1) }),
  'handed over with falling epochs': forge(
    { 4: [linkItems(link(alice, bob, 3)), linkItems(toCarol)] },
    { by: carol, seq: seqOf(2, 1) },
  ),
  'handed over with a gap': forge(
    { 4: [linkItems(toBob), linkItems(link(alice, carol, 2))] },
    { by: carol, seq: seqOf(2, 1) },
  ),
  'handed over within a zone': forge(
    { 4: [linkItems(toBob)], 5: certItems(certify({ owner: bob.key.publicKey })) },
    { by: bob, zone, seq: seqOf(1, 1) },
  ),
  'offered in its own zone': forge(
    { 8: offerItems(offer(bob, 1, registrar)) },
    { by: registrar, zone },
  ),
  'offered at its own epoch': offered(offerItems(offer(bob, 0, alice))),
  'offered to oneself': offered(offerItems(offer(alice, 1, alice))),
  'offered by another': offered(offerItems(offer(bob, 1, carol))),
  'offered another label': offered(offerItems(offer(bob, 1, alice, { label: 'bob' }))),
};

const malformed: Readonly<Record<string, SignedRecord>> = {
  'certified by the open zone': forge({ 5: replaced(certItems(certify()), 0, openZone) }),
  'a certificate of four items': certified(certItems(certify()).slice(0, 4)),
  'a certificate of six items': certified([...certItems(certify()), 0]),
  'a certificate with a short zone': certified(replaced(certItems(certify()), 0, zone.slice(1))),
  'a certificate with a negative serial': certified(replaced(certItems(certify()), 1, -1)),
  'a certificate with a short signature': certified(
    replaced(certItems(certify()), 4, new Uint8Array(63)),
  ),
  'a certificate beyond 32 bits': certified(replaced(certItems(certify()), 3, 2 ** 32)),
  'a certificate that is text': forge({ 5: 'please' }, { zone }),
  'no transfers': handed(),
  'four transfers': handed(...Array.from({ length: 4 }, () => linkItems(toBob))),
  'a transfer of three items': handed(linkItems(toBob).slice(0, 3)),
  'a transfer with an epoch of 17 bits': handed(replaced(linkItems(toBob), 1, 0x1_0000)),
  'a transfer that is a number': handed(1),
  'transfers that are bytes': forge({ 4: new Uint8Array(108) }),
  'an offer of five items': offered([...offerItems(offer(bob, 1, alice)), 0]),
  'an offer to a short key': offered(
    replaced(offerItems(offer(bob, 1, alice)), 0, new Uint8Array(31)),
  ),
  'no names below it': withSubnames(new Map()),
  'eleven names below it': withSubnames(manySubnames(11)),
  'a name below it with a dot': withSubnames(new Map([['a.b', root.bytes]])),
  'a name below it in capitals': withSubnames(new Map([['WWW', root.bytes]])),
  'a name below it that begins with a hyphen': withSubnames(new Map([['-a', root.bytes]])),
  'a name below it of no characters': withSubnames(new Map([['', root.bytes]])),
  'a name below it of 64 characters': withSubnames(new Map([['x'.repeat(64), root.bytes]])),
  'a name below it that is a number': withSubnames(new Map([[1, root.bytes]])),
  'a name below it that shows no root': withSubnames(new Map([['www', root.bytes.slice(1)]])),
  'names below it as a list': withSubnames(['www', root.bytes]),
  'a zone file that is no root': forge({ 6: root.multihash.bytes }),
  'withdrawn with a root': forge({ 2: root.bytes }, { tombstone: true }),
  'withdrawn with an offer': forge({ 8: offerItems(offer(bob, 1, alice)) }, { tombstone: true }),
  'withdrawn with an unknown field': forge({ 9: 1 }, { tombstone: true }),
};

const misplaced: Readonly<Record<string, SignedRecord>> = {
  "in another's zone without a certificate": forge({}, { zone }),
  'in another zone than certified': forge({ 5: certItems(certify()) }, { zone: bob.key.publicKey }),
  'in the open zone though certified': forge({ 5: certItems(certify()) }),
  'withdrawn in the zone of another': forge({}, { zone, tombstone: true }),
};

function entries(
  status: StoreStatusName,
  records: Readonly<Record<string, SignedRecord>>,
): [string, { record: SignedRecord; status: StoreStatusName }][] {
  return Object.entries(records).map(([what, record]) => [what, { record, status }]);
}

/** Each with the status that the local network answers at `issued`. */
export const wrongNames: Readonly<
  Record<string, { readonly record: SignedRecord; readonly status: StoreStatusName }>
> = Object.fromEntries([
  ...entries('BAD_CERT', badCertificates),
  ...entries('BAD_TRANSFER', badTransfers),
  ...entries('MALFORMED', malformed),
  ...entries('KEY_MISMATCH', misplaced),
]);
