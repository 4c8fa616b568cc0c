import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { base36 } from 'multiformats/bases/base36';
import { base58btc } from 'multiformats/bases/base58';
import { CID } from 'multiformats/cid';
import { create } from 'multiformats/hashes/digest';
import { toHex, utf8 } from '../../base/bytes.ts';
import { cidOf, parseRoot, rootHex } from './root.ts';
import { murmur3 } from './murmur.ts';

const hash = Uint8Array.from(createHash('sha256').update('x').digest());
const cid = cidOf({ codec: 'dag-pb', hash });

test('every spelling of a root is the same CIDv1', () => {
  const v0 = CID.createV0(create(0x12, hash)).toString();
  const spellings = [
    cid.toString(),
    cid.toString(base36),
    cid.toString(base58btc),
    v0,
    toHex(hash),
    toHex(hash).toUpperCase(),
  ];
  for (const text of spellings) assert.equal(parseRoot(text).toString(), cid.toString(), text);
  assert.equal(rootHex(parseRoot(v0)), toHex(hash));
  const raw = cidOf({ codec: 'raw', hash });
  assert.equal(parseRoot(raw.toString()).toString(), raw.toString());
});

test('what is not a root of AltNet is BAD_ROOT', () => {
  const refused = [
    '',
    'hello',
    toHex(hash).slice(1),
    `${toHex(hash)}00`,
    'zz'.repeat(32),
    `${cid.toString()}/path`,
    cid.toString().slice(0, -3),
    CID.createV1(0x71, create(0x12, hash)).toString(),
    CID.createV1(0x70, create(0x13, new Uint8Array(64))).toString(),
    CID.createV1(0x55, create(0x00, utf8('inline'))).toString(),
    CID.createV1(0x70, create(0x12, hash.subarray(0, 20))).toString(),
    'b'.repeat(5000),
  ];
  for (const text of refused) {
    assert.throws(() => parseRoot(text), { code: 'BAD_ROOT' }, text.slice(0, 80));
  }
});

test('MurmurHash3 x64 agrees with known values', () => {
  // The first 64 of 128 bits, seed 0. The builders' tests compare whole folders with another program.
  assert.equal(toHex(murmur3(utf8(''))), '0000000000000000');
  assert.equal(toHex(murmur3(utf8('hello'))), 'cbd8a7b341bd9b02');
  assert.equal(
    toHex(murmur3(utf8('The quick brown fox jumps over the lazy dog'))),
    'e34bbc7bbc071b6c',
  );
});
