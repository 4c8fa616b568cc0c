import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { CID } from 'multiformats/cid';
import { checkProperty } from '../../test/support/property.ts';
import { type Bytes, concatBytes } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';
import { SigningKey } from '../identity/key.ts';
import { checkKey, checkKind, checkRecord } from './acceptance.ts';
import { type BodyValue, encodeBody } from './body.ts';
import { type SignedRecord, signRecord } from './envelope.ts';
import { recordKinds, storeStatusName } from './kinds.ts';
import { networkId, networkProfiles } from './network.ts';
import { slotOf } from './registry.ts';
import {
  encodeRevocation,
  hashOfContent,
  hashOfName,
  isEntries,
  makeRevocationsRecord,
  parseRevocations,
  type Revocation,
  revocationAt,
  revocationBytes,
  type RevocationsBody,
  revocationsKey,
} from './revocations.ts';

const profile = networkProfiles.local;
const network = networkId(profile);
const revoker = { key: new SigningKey('author', new Uint8Array(32).fill(1)), network };
const other = { key: new SigningKey('author', new Uint8Array(32).fill(2)), network };
const issued = 1_800_000_000;
const stamp = { seq: 1n, issued };
const nextUpdate = issued + 43_200;
const list = CID.parse('bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi');

function entries(count: number): Bytes {
  const each = Array.from({ length: count }, (_, i) =>
    encodeRevocation({ type: 1, target: new Uint8Array(32).fill(i), undo: i % 2 === 1 }),
  );
  return concatBytes(...each);
}

const verdict = (record: SignedRecord): string =>
  storeStatusName(checkKind(record) || checkKey(record));

test('a list says what it was made of', () => {
  const short: RevocationsBody = { count: 2, nextUpdate, recent: entries(2) };
  const long: RevocationsBody = { count: 1_000_000, nextUpdate, recent: entries(20), list };
  for (const body of [short, long]) {
    const record = makeRevocationsRecord(body, stamp, revoker);
    assert.deepEqual(parseRevocations(record), body);
    const judging = { nowUnixSeconds: issued, profile, network };
    assert.equal(storeStatusName(checkRecord(record, judging)), 'OK');
    assert.equal(record.expires - record.issued, 7 * 86_400);
    assert.deepEqual(slotOf(record), Uint8Array.of(6));
  }
});

test('a list belongs to the key that signs it', () => {
  const body: RevocationsBody = { count: 1, nextUpdate, recent: entries(1) };
  const { key, body: octets } = makeRevocationsRecord(body, stamp, revoker);
  const fields = { ...stamp, tombstone: false, expires: issued + 100_000, key, body: octets };
  const powNonce = new Uint8Array(8);
  const kind = recordKinds.revocations;
  const stolen = signRecord({ ...fields, powNonce, kind }, other.key, network);
  assert.equal(verdict(stolen), 'KEY_MISMATCH');
  const withdrawn = signRecord(
    { ...fields, powNonce, kind, tombstone: true, body: encodeBody(new Map()) },
    revoker.key,
    network,
  );
  assert.equal(verdict(withdrawn), 'MALFORMED', 'lists only grow');
});

test('a list that contradicts itself is none', () => {
  const forged = (fields: [number, BodyValue][]): string =>
    verdict(
      signRecord(
        {
          kind: recordKinds.revocations,
          tombstone: false,
          key: revocationsKey(revoker.key.publicKey),
          seq: 1n,
          issued,
          expires: issued + 7 * 86_400,
          powNonce: new Uint8Array(8),
          body: encodeBody(new Map(fields)),
        },
        revoker.key,
        network,
      ),
    );
  const made = (
    count: number,
    recent: Bytes,
    more: [number, BodyValue][] = [],
    until = nextUpdate,
  ): string => forged([[1, count], [2, until], [3, recent], ...more]);
  const listed: [number, BodyValue] = [4, list.bytes];
  assert.equal(made(3, entries(3)), 'OK');
  assert.equal(made(21, entries(20), [listed]), 'OK');
  assert.equal(made(3, entries(3), [[99, 'from the future']]), 'OK');
  assert.equal(made(0, new Uint8Array()), 'MALFORMED');
  assert.equal(made(3, entries(2)), 'MALFORMED', 'fewer than it could show');
  assert.equal(made(2, entries(3)), 'MALFORMED');
  assert.equal(made(21, entries(20)), 'MALFORMED', 'more than it shows, and no list');
  assert.equal(made(20, entries(20), [listed]), 'MALFORMED', 'a list that nobody needs');
  assert.equal(made(21, entries(21), [listed]), 'MALFORMED');
  assert.equal(made(1_000_001, entries(20), [listed]), 'MALFORMED');
  assert.equal(made(1, entries(1).subarray(1)), 'MALFORMED', 'half an entry');
  assert.equal(made(1, new Uint8Array(33).fill(3)), 'MALFORMED', 'a type that there is not');
  assert.equal(made(1, entries(1), [], issued), 'MALFORMED', 'stale when it was signed');
  assert.equal(made(1, entries(1), [], issued + 8 * 86_400), 'MALFORMED', 'fresh when it is gone');
  assert.equal(
    forged([
      [2, nextUpdate],
      [3, entries(1)],
    ]),
    'MALFORMED',
    'no count',
  );
});

test('an entry is decoded to itself', () => {
  const entry: fc.Arbitrary<Revocation> = fc.record(
    {
      type: fc.constantFrom(1 as const, 2 as const),
      target: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      undo: fc.boolean(),
    },
    { noNullPrototype: true },
  );
  checkProperty(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 30 }), (made) => {
      const octets = concatBytes(...made.map(encodeRevocation));
      assert.ok(isEntries(octets));
      const read = made.map((_, i) => revocationAt(octets, i * revocationBytes));
      assert.deepEqual(read, made);
    }),
  );
});

test('the hash of a target is that of its multihash, or of its key', () => {
  const hash = sha256(Uint8Array.of(1));
  const context = new TextEncoder().encode('altnet/rev\0');
  assert.deepEqual(hashOfContent(hash), sha256(context, Uint8Array.of(0x12, 0x20), hash));
  assert.deepEqual(hashOfName(hash), sha256(context, hash));
});
