import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CID } from 'multiformats/cid';
import {
  authorKey,
  nodeKey,
  sampleLink,
  sampleProvider,
  testNetwork,
  testNow,
} from '../../test/support/dht-samples.ts';
import { SwitchedDenials } from '../../test/support/switched-denials.ts';
import type { RecordDenial } from '../dht/rules/denial.ts';
import type { SignedRecord } from '../record/envelope.ts';
import { keyName } from '../record/label.ts';
import { hashUrl, makeLinkTombstone } from '../record/link.ts';
import { makeNameRecord, makeNameTombstone, type NameBody } from '../record/name.ts';
import { makePkNameRecord } from '../record/pkname.ts';
import { makeProviderTombstone, multihashOf } from '../record/provider.ts';
import { nameKey } from '../record/zone.ts';
import { denialOfRecord } from './denied-record.ts';

const root = CID.parse('bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi');
const other = CID.parse('bafybeihvvulpp4evxj7x7armbqcyg6uezzuig6jp3lktpbovlqfkuqeuoq');
const author = authorKey(1);
const stamp = { seq: 1n, issued: testNow };
const signer = { key: author, network: testNetwork };

function denialOf(record: SignedRecord, deny: (denials: SwitchedDenials) => void): unknown {
  const denials = new SwitchedDenials();
  deny(denials);
  return denialOfRecord(record, { denials, zones: () => [] });
}

function named(body: Partial<NameBody>): SignedRecord {
  return makeNameRecord({ label: 'alice', root, ...body }, stamp, signer);
}

test('a name is denied by its label or key, and leads to the roots that it shows', () => {
  const name = named({ subnames: new Map([['blog', other]]) });
  const expected: [(denials: SwitchedDenials) => void, RecordDenial | undefined][] = [
    [(denials) => denials.denyName('alice'), 'subject'],
    [(denials) => denials.denyName(nameKey('alice')), 'subject'],
    [(denials) => denials.denyName('bob'), undefined],
    [(denials) => denials.denyBlock(root.multihash.digest), 'target'],
    [(denials) => denials.denyBlock(other.multihash.digest), 'target'],
  ];
  for (const [deny, denial] of expected) assert.equal(denialOf(name, deny), denial);
  const withFile = named({ zoneFile: other });
  assert.equal(
    denialOf(withFile, (denials) => denials.denyBlock(other.multihash.digest)),
    'target',
  );
});

test('so is the name of a key', () => {
  const own = makePkNameRecord({ root }, stamp, signer);
  assert.equal(
    denialOf(own, (denials) => denials.denyName(keyName(author.publicKey))),
    'subject',
  );
  assert.equal(
    denialOf(own, (denials) => denials.denyName(own.key)),
    'subject',
  );
  assert.equal(
    denialOf(own, (denials) => denials.denyBlock(root.multihash.digest)),
    'target',
  );
  assert.equal(
    denialOf(own, (denials) => denials.denyName('alice')),
    undefined,
  );
});

test('a provider record is denied with its root, a link with its target', () => {
  const provider = sampleProvider(7);
  const hash = multihashOf(provider)?.subarray(2) ?? assert.fail();
  assert.equal(
    denialOf(provider, (denials) => denials.denyBlock(hash)),
    'subject',
  );
  assert.equal(
    denialOf(sampleProvider(8), (denials) => denials.denyBlock(hash)),
    undefined,
  );
  const link = sampleLink(`ipfs://${root.toString()}/a`);
  assert.equal(
    denialOf(link, (denials) => denials.denyBlock(root.multihash.digest)),
    'target',
  );
  assert.equal(
    denialOf(link, (denials) => denials.denyPath(root.multihash.digest, 'a')),
    'target',
  );
  assert.equal(
    denialOf(link, (denials) => denials.denyBlock(other.multihash.digest)),
    undefined,
  );
});

test('what takes something back is never denied', () => {
  const multihash = multihashOf(sampleProvider(7)) ?? assert.fail();
  const target = `ipfs://${root.toString()}`;
  const urlHash = hashUrl('//dead.example/');
  const deny = (denials: SwitchedDenials): void => {
    denials.denyName('alice');
    denials.denyBlock(root.multihash.digest);
    denials.denyBlock(multihash.subarray(2));
  };
  for (const tombstone of [
    makeNameTombstone('alice', stamp, signer),
    makeProviderTombstone(multihash, stamp, { ...signer, key: nodeKey(1) }),
    makeLinkTombstone({ urlHash, target }, stamp, signer),
  ]) {
    assert.equal(denialOf(tombstone, deny), undefined);
  }
});
