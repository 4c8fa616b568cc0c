/** Fuzzing of records: what a storer and a reader do with octets that a peer sent. */
import assert from 'node:assert/strict';
import { type Bytes, concatBytes, equalBytes, toHex, utf8 } from '../../src/base/bytes.ts';
import { sha256 } from '../../src/base/hash.ts';
import { SigningKey } from '../../src/identity/key.ts';
import {
  checkContactRecord,
  checkKey,
  checkKind,
  checkRecord,
  type Judging,
} from '../../src/record/acceptance.ts';
import { decodeBody, encodeBody } from '../../src/record/body.ts';
import { makeContactRecord } from '../../src/record/contact.ts';
import { parseRecord, seqOf, type SignedRecord } from '../../src/record/envelope.ts';
import { recordKinds, storeStatuses } from '../../src/record/kinds.ts';
import { hashUrl, makeLinkRecord, makeLinkTombstone } from '../../src/record/link.ts';
import { networkId, networkProfiles } from '../../src/record/network.ts';
import { makePkNameRecord, makePkNameTombstone } from '../../src/record/pkname.ts';
import { makeProviderRecord, makeProviderTombstone } from '../../src/record/provider.ts';
import { slotOf } from '../../src/record/registry.ts';
import { compareClaims } from '../../src/record/transfer.ts';
import { parseName } from '../../src/record/name.ts';
import {
  alice,
  bob,
  carol,
  issued,
  registrar,
  rightNames,
  wrongNames,
} from '../support/name-samples.ts';
import { isDeterministic, isWellFormed } from './canonical.ts';
import { writeCbor } from './cbor.ts';
import type { Dice } from './dice.ts';
import { mutateOctets } from './octets.ts';
import type { Target } from './target.ts';

const profile = networkProfiles.local;
const network = networkId(profile);
const judging: Judging = { nowUnixSeconds: issued, profile, network };
const node = { key: new SigningKey('node', new Uint8Array(32).fill(2)), network };
const stamp = { seq: seqOf(1, 2), issued };

function samples(): readonly SignedRecord[] {
  const named = Object.values(rightNames);
  const [first] = named;
  const root = first && parseName(first)?.root;
  if (!root) throw new Error('the first sample is a live name');
  const multihash = root.multihash.bytes;
  const link = { urlHash: hashUrl('//dead.example/driver.rar'), target: 'ipfs://x' };
  const endpoint = { ip: Uint8Array.of(192, 0, 2, 1), port: 9000 };
  const self = { protocolMin: 1, protocolMax: 1, capabilities: 0, udp4: endpoint };
  return [
    ...named,
    ...Object.values(wrongNames).map(({ record }) => record),
    makePkNameRecord({ root, ttlSeconds: 300 }, stamp, alice),
    makePkNameTombstone(stamp, alice),
    makeLinkRecord({ ...link, size: 5, note: 'ü', type: 'text/html', scheme: 0 }, stamp, alice),
    makeLinkTombstone(link, stamp, alice),
    makeProviderRecord(
      { multihash, multiaddrs: [Uint8Array.of(4), Uint8Array.of(6)] },
      stamp,
      node,
    ),
    makeProviderTombstone(multihash, stamp, node),
    makeContactRecord({ ...self, multiaddrs: [Uint8Array.of(4)], software: 'altnet' }, stamp, node),
  ];
}

const corpus: readonly SignedRecord[] = samples();
const corpusHex: ReadonlySet<string> = new Set(corpus.map(({ bytes }) => toHex(bytes)));
const keys: ReadonlyMap<string, SigningKey> = new Map(
  [alice, bob, carol, registrar, node].map(({ key }) => [toHex(key.publicKey), key]),
);

/** Octets changed anywhere; what is left of the signature is wrong. */
export const recordOctets: Target = {
  name: 'records, changed octets',
  make: (dice) => mutateOctets(dice.pick(corpus).bytes, dice, dice.pick(corpus).bytes),
  run: (input) => {
    const isAccepted = judge(input);
    // Some mutations change nothing. Of any other octets the signature is wrong.
    if (isAccepted) assert.ok(corpusHex.has(toHex(input)), 'accepted what nobody signed');
    return isAccepted;
  },
};

/** The body written anew with twists, in an envelope that fits, signed by its author. */
export const recordBodies: Target = {
  name: 'records, twisted bodies, signed',
  make: (dice) => {
    const record = dice.pick(corpus);
    return signed(record, writeCbor(mixedFields(record, dice), dice, dice.pick([4, 12, 40])), dice);
  },
  run: judge,
};

/** Bodies alone, against the second opinion of `isDeterministic`. */
export const bodies: Target = {
  name: 'bodies',
  make: (dice) => {
    const { fields, body } = dice.pick(corpus);
    const twisted = writeCbor(fields, dice, dice.pick([2, 6, 20]));
    return dice.oneIn(3) ? mutateOctets(twisted, dice, body) : twisted;
  },
  run: (input) => {
    const body = decodeBody(input);
    assert.equal(body !== undefined, isDeterministic(input), 'the two opinions differ');
    if (body) assert.ok(equalBytes(encodeBody(body), input), 'an encoding is not the only one');
    return body !== undefined;
  },
};

/** Sometimes a field of another record as well: valid CBOR that the kind has to judge. */
function mixedFields(record: SignedRecord, dice: Dice): SignedRecord['fields'] {
  const fields = new Map(record.fields);
  const other = dice.pick(corpus).fields;
  if (dice.oneIn(3)) for (const [key, value] of other) if (dice.oneIn(2)) fields.set(key, value);
  if (dice.oneIn(4)) fields.delete(1 + dice.below(10));
  return fields;
}

const signatureContext = utf8('altnet/rec/1\0');

function signed(record: SignedRecord, body: Bytes, dice: Dice): Bytes {
  const head = Buffer.from(record.bytes.subarray(0, 94));
  head.writeUInt16BE(Math.min(body.length, 0xffff), 92);
  if (dice.oneIn(4)) head.writeUInt8(dice.below(8), 1 + dice.below(3));
  const octets = concatBytes(head, body);
  const key = keys.get(toHex(record.author));
  // Longer ones are refused by their length alone: no signature is worth its time.
  if (!key || octets.length > 1000) return concatBytes(octets, record.signature);
  return concatBytes(octets, key.sign(concatBytes(signatureContext, network, octets)));
}

/** Everything that is done with a record from outside. */
function judge(input: Bytes): boolean {
  const parsed = parseRecord(input);
  assert.equal(parsed.ok, isWellFormed(input), 'the two opinions differ');
  if (!parsed.ok) return false;
  const { record } = parsed;
  assert.ok(equalBytes(record.bytes, input), 'not the original octets');
  assert.ok(equalBytes(encodeBody(record.fields), record.body), 'not deterministic');
  assert.ok(equalBytes(record.hash, sha256(input)));
  const nodeId = node.key.id;
  checkContactRecord(record, { ...judging, nodeId });
  const status = checkRecord(record, judging);
  if (checkKind(record) !== storeStatuses.OK || checkKey(record) !== storeStatuses.OK) {
    assert.notEqual(status, storeStatuses.OK);
    return false;
  }
  const slot = slotOf(record);
  assert.ok(slot.length >= 1 && slot.length <= 32);
  if (record.kind === recordKinds.name) compareWithOthers(record);
  return status === storeStatuses.OK;
}

function compareWithOthers(record: SignedRecord): void {
  for (const other of corpus.slice(0, 10)) {
    const [there, back] = [
      compareClaims(record, other, network),
      compareClaims(other, record, network),
    ];
    assert.equal(Math.sign(there) + Math.sign(back), 0, 'the rule of claims has two answers');
  }
}
