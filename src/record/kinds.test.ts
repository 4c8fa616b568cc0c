import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CID } from 'multiformats/cid';
import type { Bytes } from '../base/bytes.ts';
import { SigningKey } from '../identity/key.ts';
import { checkKey, checkKind } from './acceptance.ts';
import { type BodyValue, encodeBody } from './body.ts';
import { makeContactRecord, parseContact } from './contact.ts';
import { type RecordFields, type SignedRecord, signRecord } from './envelope.ts';
import { type RecordKind, recordKinds, storeStatusName } from './kinds.ts';
import {
  hashUrl,
  type LinkBody,
  linkKey,
  makeLinkRecord,
  makeLinkTombstone,
  parseLink,
} from './link.ts';
import { makeNameRecord, makeNameTombstone, nameKey, parseName } from './name.ts';
import { networkId, networkProfiles } from './network.ts';
import { makePkNameRecord, makePkNameTombstone, parsePkName, pkNameKey } from './pkname.ts';
import {
  makeProviderRecord,
  makeProviderTombstone,
  parseProvider,
  providerKey,
} from './provider.ts';
import { kindForm, slotOf } from './registry.ts';

const network = networkId(networkProfiles.local);
const author = { key: new SigningKey('author', new Uint8Array(32).fill(1)), network };
const other = { key: new SigningKey('author', new Uint8Array(32).fill(3)), network };
const node = { key: new SigningKey('node', new Uint8Array(32).fill(2)), network };
const stamp = { seq: 1n, issued: 1_000_000 };
const root = CID.parse('bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi');
const { multihash } = root;
const urlHash = hashUrl('//example.org/');

const link: LinkBody = {
  urlHash,
  target: 'magnet:?xt=urn:btih:0123456789abcdef',
  sha256: new Uint8Array(32).fill(4),
  size: 2 ** 40,
  type: 'text/html',
  captured: 1_600_000_000,
  note: 'aus dem Jahr 2020 – vollständig',
  relation: 1,
  scheme: 1,
};

function verdict(record: SignedRecord): string {
  return storeStatusName(checkKind(record) || checkKey(record));
}

/** A signed record of any kind, key and body, as a hostile author would make it. */
function forge(
  kind: RecordKind,
  key: Bytes,
  { fields, ...changes }: { fields: [number, BodyValue][] } & Partial<RecordFields>,
): SignedRecord {
  const signer = kind === recordKinds.provider || kind === recordKinds.contact ? node : author;
  const body = encodeBody(new Map(fields));
  const plain = { tombstone: false, seq: 1n, issued: 1, expires: 2, powNonce: new Uint8Array(8) };
  return signRecord({ ...plain, kind, key, body, ...changes }, signer.key, network);
}

test('a name record says what it was made of', () => {
  const record = makeNameRecord({ label: 'alice', root, ttlSeconds: 300 }, stamp, author);
  assert.deepEqual(parseName(record), { label: 'alice', root, ttlSeconds: 300 });
  assert.deepEqual(record.key, nameKey('alice'));
  assert.equal(record.expires - record.issued, 90 * 86_400);
  assert.equal(verdict(record), 'OK');
  assert.deepEqual(slotOf(record), slotOf(makeNameRecord({ label: 'bob', root }, stamp, other)));
});

test('a key name belongs to the key that signs it', () => {
  const record = makePkNameRecord({ root }, stamp, author);
  assert.deepEqual(parsePkName(record), { root });
  assert.equal(verdict(record), 'OK');
  const theirs = pkNameKey(other.key.publicKey);
  const stolen = forge(recordKinds.pkName, theirs, { fields: [[2, root.bytes]] });
  assert.equal(verdict(stolen), 'KEY_MISMATCH');
});

test('a link has a slot per author and target', () => {
  const record = makeLinkRecord(link, stamp, author);
  assert.deepEqual(parseLink(record), link);
  assert.equal(verdict(record), 'OK');
  const { target } = link;
  const again = makeLinkRecord({ urlHash, target, note: 'better' }, { ...stamp, seq: 2n }, author);
  assert.deepEqual(slotOf(again), slotOf(record));
  const elsewhere = makeLinkRecord({ urlHash, target: 'ipfs://x' }, stamp, author);
  assert.notDeepEqual(slotOf(elsewhere), slotOf(record));
  assert.notDeepEqual(slotOf(makeLinkRecord(link, stamp, other)), slotOf(record));
});

test('the largest link fits into a record', () => {
  const record = makeLinkRecord(
    {
      ...link,
      target: `https://${'x'.repeat(504)}`,
      size: Number.MAX_SAFE_INTEGER,
      type: 't'.repeat(64),
      note: 'ü'.repeat(70),
      captured: 0xffff_ffff,
      relation: 255,
    },
    stamp,
    author,
  );
  assert.equal(verdict(record), 'OK');
});

test('a provider record says who holds what', () => {
  const body = { multihash: multihash.bytes, multiaddrs: [new Uint8Array(128), Uint8Array.of(4)] };
  const record = makeProviderRecord(body, stamp, node);
  assert.deepEqual(parseProvider(record), body);
  assert.deepEqual(record.key, providerKey(multihash.bytes));
  assert.deepEqual(slotOf(record), node.key.publicKey);
  assert.equal(verdict(record), 'OK');
});

test('a contact record is read but never stored', () => {
  const body = {
    protocolMin: 1,
    protocolMax: 1,
    capabilities: 0,
    udp4: { ip: Uint8Array.of(192, 0, 2, 1), port: 9000 },
    udp6: { ip: new Uint8Array(16).fill(0x20), port: 65_535 },
    multiaddrs: [],
    software: 'altnet 0.1',
  };
  const record = makeContactRecord(body, stamp, node);
  assert.deepEqual(parseContact(record), body);
  assert.deepEqual(record.key, node.key.id);
  assert.equal(verdict(record), 'KIND');
  assert.equal(kindForm(record.kind)?.keyMatches(record), true);
  assert.throws(() => slotOf(record));
});

test('a tombstone names the slot of what it withdraws, and its key can be checked', () => {
  const { target } = link;
  const holds = { multihash: multihash.bytes, multiaddrs: [] };
  const pairs: [SignedRecord, SignedRecord][] = [
    [
      makeNameRecord({ label: 'alice', root }, stamp, author),
      makeNameTombstone('alice', stamp, author),
    ],
    [makePkNameRecord({ root }, stamp, author), makePkNameTombstone(stamp, author)],
    [makeLinkRecord(link, stamp, author), makeLinkTombstone({ urlHash, target }, stamp, author)],
    [makeProviderRecord(holds, stamp, node), makeProviderTombstone(multihash.bytes, stamp, node)],
  ];
  for (const [live, gone] of pairs) {
    assert.ok(gone.tombstone);
    assert.equal(verdict(gone), 'OK');
    assert.deepEqual(gone.key, live.key);
    assert.deepEqual(slotOf(gone), slotOf(live));
    for (const parse of [parseName, parsePkName, parseLink, parseProvider]) {
      assert.equal(parse(gone), undefined);
    }
    const withMore = [...gone.fields, [99, 'cargo'] as [number, BodyValue]];
    assert.equal(
      verdict(forge(gone.kind, gone.key, { fields: withMore, tombstone: true })),
      'MALFORMED',
    );
    const moved = new Uint8Array(32);
    assert.equal(
      verdict(forge(gone.kind, moved, { fields: [...gone.fields], tombstone: true })),
      'KEY_MISMATCH',
    );
  }
});

test('a withdrawn link does not tell its target', () => {
  const { target } = link;
  const gone = makeLinkTombstone({ urlHash, target }, stamp, author);
  assert.ok(!Buffer.from(gone.bytes).includes(target));
});

test('unknown fields are left aside', () => {
  const fields: [number, BodyValue][] = [
    [1, 'alice'],
    [2, root.bytes],
    [200, 'from the future'],
  ];
  const record = forge(recordKinds.name, nameKey('alice'), { fields });
  assert.deepEqual(parseName(record), { label: 'alice', root });
});

const long = 'x'.repeat(513);
const linkFields = (...extra: [number, BodyValue][]): [number, BodyValue][] => [
  [1, 'ipfs://x'],
  [10, urlHash],
  ...extra,
];
const v0 = CID.createV0(root.multihash as never).bytes;
const refused: Record<string, [RecordKind, Bytes, [number, BodyValue][]]> = {
  'a name without label': [recordKinds.name, nameKey(''), [[2, root.bytes]]],
  'a name with an empty label': [
    recordKinds.name,
    nameKey(''),
    [
      [1, ''],
      [2, root.bytes],
    ],
  ],
  'a name in capitals': [
    recordKinds.name,
    nameKey('Alice'),
    [
      [1, 'Alice'],
      [2, root.bytes],
    ],
  ],
  'a reserved name': [
    recordKinds.name,
    nameKey('gns'),
    [
      [1, 'gns'],
      [2, root.bytes],
    ],
  ],
  'a name without root': [recordKinds.name, nameKey('alice'), [[1, 'alice']]],
  'a name with a CIDv0': [
    recordKinds.name,
    nameKey('alice'),
    [
      [1, 'alice'],
      [2, v0],
    ],
  ],
  'a name with a long TTL': [
    recordKinds.name,
    nameKey('alice'),
    [
      [1, 'alice'],
      [2, root.bytes],
      [7, 86_401],
    ],
  ],
  'a link without URL': [recordKinds.link, linkKey(urlHash), [[1, 'ipfs://x']]],
  'a link without target': [recordKinds.link, linkKey(urlHash), [[10, urlHash]]],
  'a link with a long target': [
    recordKinds.link,
    linkKey(urlHash),
    [
      [1, long],
      [10, urlHash],
    ],
  ],
  'a link with a control character': [
    recordKinds.link,
    linkKey(urlHash),
    [
      [1, 'http://a/\u0007'],
      [10, urlHash],
    ],
  ],
  'a link with a short hash': [
    recordKinds.link,
    linkKey(urlHash),
    linkFields([2, new Uint8Array(31)]),
  ],
  'a link with a negative size': [recordKinds.link, linkKey(urlHash), linkFields([3, -1])],
  'a link with a long type': [recordKinds.link, linkKey(urlHash), linkFields([4, 'x'.repeat(65)])],
  'a link with a late capture': [recordKinds.link, linkKey(urlHash), linkFields([5, 2 ** 32])],
  'a link with a long note': [recordKinds.link, linkKey(urlHash), linkFields([6, 'ü'.repeat(71)])],
  'a link with a third scheme': [recordKinds.link, linkKey(urlHash), linkFields([8, 2])],
  'a provider of another hash': [
    recordKinds.provider,
    providerKey(new Uint8Array(34)),
    [
      [1, new Uint8Array(34)],
      [2, []],
    ],
  ],
  'a provider with five addresses': [
    recordKinds.provider,
    providerKey(multihash.bytes),
    [
      [1, multihash.bytes],
      [2, Array.from({ length: 5 }, () => Uint8Array.of(4))],
    ],
  ],
  'a provider with an empty address': [
    recordKinds.provider,
    providerKey(multihash.bytes),
    [
      [1, multihash.bytes],
      [2, [new Uint8Array()]],
    ],
  ],
  'a provider with a long address': [
    recordKinds.provider,
    providerKey(multihash.bytes),
    [
      [1, multihash.bytes],
      [2, [new Uint8Array(129)]],
    ],
  ],
};

for (const [what, [kind, key, fields]] of Object.entries(refused)) {
  test(`${what} is malformed`, () => {
    assert.equal(verdict(forge(kind, key, { fields })), 'MALFORMED');
  });
}

const contactFields: [number, BodyValue][] = [
  [1, 1],
  [2, 1],
  [3, 0],
  [6, []],
];
const badContacts: Record<string, [number, BodyValue][]> = {
  'no version': contactFields.slice(1),
  'versions in the wrong order': [[1, 2], ...contactFields.slice(1)],
  'an address of 5 bytes': [...contactFields, [4, new Uint8Array(5)]],
  'port 0': [...contactFields, [4, Uint8Array.of(1, 2, 3, 4, 0, 0)]],
  'a long program name': [...contactFields, [7, 'x'.repeat(17)]],
  'more than 600 bytes': [...contactFields, [99, new Uint8Array(500)]],
};

for (const [what, fields] of Object.entries(badContacts)) {
  test(`a contact with ${what} is not read`, () => {
    assert.equal(parseContact(forge(recordKinds.contact, node.key.id, { fields })), undefined);
  });
}

test('a record does not pass under the key of another kind', () => {
  const fields: [number, BodyValue][] = [
    [1, 'alice'],
    [2, root.bytes],
  ];
  assert.equal(verdict(forge(recordKinds.name, nameKey('bob'), { fields })), 'KEY_MISMATCH');
  const asLink = forge(recordKinds.link, nameKey('alice'), { fields: linkFields() });
  assert.equal(verdict(asLink), 'KEY_MISMATCH');
});
