import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { CID } from 'multiformats/cid';
import { concatBytes, parseHex, toHex } from '../base/bytes.ts';
import { SigningKey } from '../identity/key.ts';
import { checkContactRecord, checkRecord } from './acceptance.ts';
import { makeContactRecord } from './contact.ts';
import { parseRecord, type SignedRecord, seqOf } from './envelope.ts';
import { recordKinds, storeStatusName } from './kinds.ts';
import { hashUrl, makeLinkRecord, makeLinkTombstone } from './link.ts';
import { makeNameRecord, makeNameTombstone } from './name.ts';
import { networkId, networkProfiles } from './network.ts';
import { makePkNameRecord, makePkNameTombstone } from './pkname.ts';
import { makeProviderRecord, makeProviderTombstone } from './provider.ts';
import {
  encodeRevocation,
  hashOfContent,
  hashOfName,
  makeRevocationsRecord,
} from './revocations.ts';
import { nameKey } from './zone.ts';

const file = path.join(import.meta.dirname, '../../test/vectors/records/records.json');
const vectors = JSON.parse(readFileSync(file, 'utf8')) as {
  readonly networks: Readonly<Record<string, string>>;
  readonly records: Readonly<Record<string, string>>;
};

const profile = networkProfiles.local;
const network = networkId(profile);
const author = { key: new SigningKey('author', new Uint8Array(32).fill(1)), network };
const node = { key: new SigningKey('node', new Uint8Array(32).fill(2)), network };
const stamp = { seq: seqOf(1, 2), issued: 1_800_000_000 };
const root = CID.parse('bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi');
const multihash = root.multihash.bytes;
const link = { urlHash: hashUrl('//dead.example/driver.rar'), target: 'ipfs://x' };
const endpoint = { ip: Uint8Array.of(192, 0, 2, 1), port: 9000 };
const self = { protocolMin: 1, protocolMax: 1, capabilities: 0, udp4: endpoint, multiaddrs: [] };

const revoked = [
  encodeRevocation({ type: 1, target: hashOfContent(root.multihash.digest), undo: false }),
  encodeRevocation({ type: 2, target: hashOfName(nameKey('alice')), undo: true }),
];
const nextUpdate = stamp.issued + 43_200;
const fewRevoked = { count: 2, nextUpdate, recent: concatBytes(...revoked) };
const twenty = concatBytes(...Array.from({ length: 10 }, () => revoked).flat());
const manyRevoked = { count: 21, nextUpdate, recent: twenty, list: root };

/** What the vectors were made of. */
const made: Readonly<Record<string, SignedRecord>> = {
  name: makeNameRecord({ label: 'alice', root, ttlSeconds: 300 }, stamp, author),
  'name, withdrawn': makeNameTombstone('alice', stamp, author),
  'key name': makePkNameRecord({ root }, stamp, author),
  'key name, withdrawn': makePkNameTombstone(stamp, author),
  link: makeLinkRecord({ ...link, size: 5, note: 'ü', scheme: 0 }, stamp, author),
  'link, withdrawn': makeLinkTombstone(link, stamp, author),
  provider: makeProviderRecord({ multihash, multiaddrs: [Uint8Array.of(4)] }, stamp, node),
  'provider, withdrawn': makeProviderTombstone(multihash, stamp, node),
  revocations: makeRevocationsRecord(fewRevoked, stamp, author),
  'revocations, with a list': makeRevocationsRecord(manyRevoked, stamp, author),
  contact: makeContactRecord({ ...self, software: 'altnet' }, stamp, node),
};

test('every record has its vector', () => {
  assert.deepEqual(Object.keys(vectors.records), Object.keys(made));
});

for (const [what, record] of Object.entries(made)) {
  test(`the octets of a record stay what they are: ${what}`, () => {
    const hex = vectors.records[what] ?? '';
    assert.equal(toHex(record.bytes), hex);
    const parsed = parseRecord(parseHex(hex) ?? new Uint8Array());
    assert.ok(parsed.ok);
    const judging = { nowUnixSeconds: stamp.issued, profile, network, nodeId: node.key.id };
    const check = record.kind === recordKinds.contact ? checkContactRecord : checkRecord;
    assert.equal(storeStatusName(check(parsed.record, judging)), 'OK');
  });
}

test('the IDs of the networks stay what they are', () => {
  for (const [name, network16] of Object.entries(vectors.networks)) {
    const known = Object.values(networkProfiles).find((candidate) => candidate.name === name);
    assert.ok(known);
    assert.equal(toHex(networkId(known)), network16);
  }
  assert.equal(Object.keys(vectors.networks).length, Object.keys(networkProfiles).length);
});
