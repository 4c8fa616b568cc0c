import assert from 'node:assert/strict';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { rightNames, wrongNames } from '../../test/support/name-samples.ts';
import { parseHex, toHex } from '../base/bytes.ts';
import { checkRecord } from './acceptance.ts';
import { parseRecord } from './envelope.ts';
import { storeStatusName } from './kinds.ts';
import { networkId, networkProfiles } from './network.ts';

const folder = path.join(import.meta.dirname, '../../test/vectors/records');
const vectors = JSON.parse(readFileSync(path.join(folder, 'names.json'), 'utf8')) as {
  readonly now: number;
  readonly accepted: Readonly<Record<string, string>>;
  readonly refused: Readonly<Record<string, { status: string; record: string }>>;
};
const { networks } = JSON.parse(readFileSync(path.join(folder, 'records.json'), 'utf8')) as {
  readonly networks: Readonly<Record<string, string>>;
};
const networkHex = networks['local'] ?? '';

function verdict(hex: string): string {
  const parsed = parseRecord(parseHex(hex) ?? new Uint8Array());
  if (!parsed.ok) return storeStatusName(parsed.status);
  const profile = networkProfiles.local;
  const judging = { nowUnixSeconds: vectors.now, profile, network: networkId(profile) };
  return storeStatusName(checkRecord(parsed.record, judging));
}

test('every sample has its vector', () => {
  assert.deepEqual(Object.keys(vectors.accepted), Object.keys(rightNames));
  assert.deepEqual(Object.keys(vectors.refused), Object.keys(wrongNames));
});

for (const [what, hex] of Object.entries(vectors.accepted)) {
  test(`a name is accepted and keeps its octets: ${what}`, () => {
    assert.equal(verdict(hex), 'OK');
    assert.equal(toHex(rightNames[what]?.bytes ?? new Uint8Array()), hex);
  });
}

for (const [what, { status, record }] of Object.entries(vectors.refused)) {
  test(`a name is ${status}: ${what}`, () => {
    assert.equal(verdict(record), status);
    assert.equal(toHex(wrongNames[what]?.record.bytes ?? new Uint8Array()), record);
  });
}

/* The same octets, put together by hand and verified by Node alone. */

const root = '582401701220c3c4733ec8affd06cf9e9ff50ffc6bcd2ec85a6170004bb709669c31de94391a';
const label = `0165${Buffer.from('alice').toString('hex')}`;

function hexOf(what: string): string {
  return vectors.accepted[what] ?? '';
}

function bodyOf(what: string): string {
  const hex = hexOf(what);
  const length = Number.parseInt(hex.slice(2 * 92, 2 * 94), 16);
  return hex.slice(2 * 94, 2 * (94 + length));
}

function field(what: string, at: number, length: number): string {
  return hexOf(what).slice(2 * at, 2 * (at + length));
}

/** Ed25519 by Node, with a key that it imports from a JWK. */
function isSigned(publicKey: string, message: string, signature: string): boolean {
  const x = Buffer.from(publicKey, 'hex').toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return verify(null, Buffer.from(message, 'hex'), key, Buffer.from(signature, 'hex'));
}

function context(name: string): string {
  return Buffer.from(`${name}\0`).toString('hex') + networkHex;
}

test('all accepted records are signed by their authors', () => {
  for (const what of Object.keys(vectors.accepted)) {
    const hex = hexOf(what);
    const [signed, signature] = [hex.slice(0, -128), hex.slice(-128)];
    assert.ok(isSigned(field(what, 36, 32), context('altnet/rec/1') + signed, signature), what);
  }
});

test('the octets of a certificate, and what the zone signs', () => {
  const what = 'certified by its zone';
  const body = bodyOf(what);
  const start = 'a3' + label + '02' + root + '05855820';
  assert.equal(body.slice(0, start.length), start);
  const rest = body.slice(start.length);
  const [zone, numbers, signature] = [rest.slice(0, 64), rest.slice(64, -132), rest.slice(-128)];
  assert.equal(numbers, '071a6b4880801a6d2b0580');
  assert.equal(rest.slice(-132, -128), '5840');
  const preimage = Buffer.from(
    `${Buffer.from('altnet/key/name\0').toString('hex')}${zone}${label.slice(4)}`,
    'hex',
  );
  const key = createHash('sha256').update(preimage).digest('hex');
  assert.equal(field(what, 4, 32), key, 'the zone is hashed into the key');
  const owner = field(what, 36, 32);
  const message = context('altnet/reg/1') + key + owner + '00000000000000076b4880806d2b0580';
  assert.ok(isSigned(zone, message, signature));
});

test('the octets of transfers, and what each owner signs', () => {
  const what = 'handed over three times';
  const body = bodyOf(what);
  const start = 'a3' + label + '02' + root + '0483';
  assert.equal(body.slice(0, start.length), start);
  const owner = field(what, 36, 32);
  const key = field(what, 4, 32);
  assert.equal(field(what, 68, 8), '0003000000000009', 'the epoch of the last, and a version');
  const links = [0, 1, 2].map((i) =>
    body.slice(start.length + i * 214, start.length + (i + 1) * 214),
  );
  const prevOwners = links.map((octets) => octets.slice(6, 70));
  links.forEach((octets, i) => {
    const epoch = `0${i + 1}`;
    assert.equal(octets.slice(0, 6), '845820');
    assert.equal(octets.slice(70, 86), epoch + '1a6b715f005840');
    const [prev, next, signature] = [
      prevOwners[i] ?? '',
      prevOwners[i + 1] ?? owner,
      octets.slice(86),
    ];
    const message = context('altnet/xfer/1') + key + prev + next + '00' + epoch + '6b715f00';
    assert.ok(isSigned(prev, message, signature), epoch);
  });
  assert.equal(prevOwners[0], owner, 'she sold it first and got it back');
});

test('the octets of an offer, and what the owner signs', () => {
  const what = 'offered';
  const body = bodyOf(what);
  const start = 'a3' + label + '02' + root + '08845820';
  assert.equal(body.slice(0, start.length), start);
  const rest = body.slice(start.length);
  const newOwner = rest.slice(0, 64);
  assert.equal(rest.slice(64, 80), '011a6b715f005840');
  const owner = field(what, 36, 32);
  const message = context('altnet/xfer/1') + field(what, 4, 32) + owner + newOwner + '00016b715f00';
  assert.ok(isSigned(owner, message, rest.slice(80)));
});

/** Text of at most 23 octets, in CBOR. */
function text(ascii: string): string {
  return (0x60 + ascii.length).toString(16) + Buffer.from(ascii).toString('hex');
}

test('the octets of names below a name, and of tombstones', () => {
  const below = ['a', 'www', 'xn--bcher-kva'].map((sub) => text(sub) + root).join('');
  const zoneFile = '01551220c7d01489080858c500065836c658f847a6ca67c4864619212be4f8200e4bbace';
  assert.equal(
    bodyOf('names below it'),
    'a4' + label + '02' + root + '03a3' + below + '065824' + zoneFile,
  );
  assert.equal(bodyOf('written by its zone, withdrawn'), 'a1' + label);
  assert.ok(bodyOf('certified, withdrawn').startsWith('a2' + label + '0585'));
  assert.ok(bodyOf('handed over, withdrawn').startsWith('a2' + label + '0481'));
});
