import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  authorKey,
  sampleLink,
  sampleName,
  sampleProvider,
  testNetwork,
  testNow,
} from '../../test/support/dht-samples.ts';
import { CID } from 'multiformats/cid';
import type { Bytes } from '../base/bytes.ts';
import type { Denial } from '../base/denial.ts';
import { keyName } from '../record/label.ts';
import { nameKey } from '../record/name.ts';
import { makePkNameRecord } from '../record/pkname.ts';
import { multihashOf } from '../record/provider.ts';
import { deniesRecord } from './denied-record.ts';

const blocked: Denial = { why: 'blocked' };
const root = CID.parse('bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi');

/** Denies one name. */
const denies = (label: string, key: Bytes): Parameters<typeof deniesRecord>[0] => ({
  ofName: (name) => (name.label === label && name.key.join() === key.join() ? blocked : undefined),
  ofBlock: () => undefined,
});

test('a record is denied with the name or the content that it is about', () => {
  const name = sampleName('alice');
  assert.equal(deniesRecord(denies('alice', nameKey('alice')), name), true);
  assert.equal(deniesRecord(denies('alice', nameKey('bob')), name), false);
  const author = authorKey(1);
  const stamp = { seq: 1n, issued: testNow };
  const own = makePkNameRecord({ root }, stamp, { key: author, network: testNetwork });
  assert.equal(deniesRecord(denies(keyName(author.publicKey), own.key), own), true);
  assert.equal(deniesRecord(denies('alice', nameKey('alice')), own), false);
});

test('a provider record is denied with its root; of a link nobody can tell', () => {
  const provider = sampleProvider(7);
  const hash = multihashOf(provider)?.subarray(2);
  assert.ok(hash);
  const denials = {
    ofName: (): undefined => undefined,
    ofBlock: (asked: Bytes) => (asked.join() === hash.join() ? blocked : undefined),
  };
  assert.equal(deniesRecord(denials, provider), true);
  assert.equal(deniesRecord(denials, sampleProvider(8)), false);
  assert.equal(deniesRecord({ ...denials, ofName: () => blocked }, sampleLink('ipfs://x')), false);
});
