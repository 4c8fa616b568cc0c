import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { base32 } from 'multiformats/bases/base32';
import { base58btc } from 'multiformats/bases/base58';
import { CID } from 'multiformats/cid';
import { checkProperty } from '../../test/support/property.ts';
import { type Bytes, concatBytes, toHex, utf8 } from '../base/bytes.ts';
import {
  cidV0Length,
  cidV1Length,
  readCidV0Digest,
  readCidV1Digest,
  readHexDigest,
  type Word,
  writeCidV0,
  writeCidV1,
} from './digest-spelling.ts';

type Reader = (word: Word, digest: Bytes) => boolean;

/** The word between others, as it stands in a file. */
function read(reader: Reader, text: string): string | undefined {
  const octets = utf8(`xx${text}yy`);
  const digest = new Uint8Array(32);
  const isRead = reader({ octets, start: 2, end: octets.length - 2 }, digest);
  return isRead ? toHex(digest) : undefined;
}

const digests = fc.uint8Array({ minLength: 32, maxLength: 32 });
const v0Of = (digest: Bytes): string =>
  base58btc.baseEncode(concatBytes(Uint8Array.of(0x12, 32), digest));
const v1Of = (digest: Bytes, codec: number): string =>
  base32.encode(concatBytes(Uint8Array.of(1, codec, 0x12, 32), digest));

test('every digest is read back from its three spellings', () => {
  checkProperty(
    fc.property(digests, fc.integer({ min: 0, max: 0x7f }), (digest, codec) => {
      const hex = toHex(digest);
      assert.equal(read(readHexDigest, hex), hex);
      assert.equal(read(readHexDigest, hex.toUpperCase()), hex);
      assert.equal(read(readCidV0Digest, v0Of(digest)), hex);
      assert.equal(read(readCidV1Digest, v1Of(digest, codec)), hex);
    }),
  );
});

/** What a writer left in memory that was not empty before. */
function written(length: number, write: (text: Bytes) => void): string {
  const text = new Uint8Array(length).fill(0x21);
  write(text);
  return Buffer.from(text).toString('latin1');
}

test('every digest is written as the library writes it', () => {
  checkProperty(
    fc.property(digests, fc.integer({ min: 0, max: 0x7f }), (digest, codec) => {
      const v1 = written(cidV1Length, (text) => writeCidV1({ codec, digest }, text));
      assert.equal(v1, v1Of(digest, codec));
      const v0 = written(cidV0Length, (text) => writeCidV0(digest, text));
      assert.equal(v0, v0Of(digest));
    }),
  );
});

test('the least and the greatest digest', () => {
  for (const digest of [new Uint8Array(32), new Uint8Array(32).fill(255)]) {
    assert.equal(read(readCidV0Digest, v0Of(digest)), toHex(digest));
    assert.equal(read(readCidV1Digest, v1Of(digest, 0x70)), toHex(digest));
    assert.equal(
      written(cidV0Length, (text) => writeCidV0(digest, text)),
      v0Of(digest),
    );
  }
});

test('one changed letter is refused, or read as the library reads it', () => {
  const letter = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
  const place = fc.integer({ min: 0, max: 63 });
  checkProperty(
    fc.property(digests, letter, place, (digest, other, at) => {
      for (const [reader, text] of [
        [readCidV0Digest, v0Of(digest)],
        [readCidV1Digest, v1Of(digest, 0x70)],
      ] as const) {
        const changed = `${text.slice(0, at)}${other}${text.slice(at + 1)}`;
        const found = read(reader, changed);
        if (found !== undefined) assert.equal(found, toHex(CID.parse(changed).multihash.digest));
      }
      const hex = toHex(digest);
      const changed = `${hex.slice(0, at)}${other}${hex.slice(at + 1)}`;
      assert.equal(read(readHexDigest, changed) !== undefined, /^[0-9a-fA-F]{64}$/.test(changed));
    }),
  );
});

test('other lengths, hashes and versions are left to the library', () => {
  const digest = new Uint8Array(32).fill(7);
  const others = [
    '',
    'b',
    v1Of(digest, 0x70).slice(0, -1),
    `${v1Of(digest, 0x70)}a`,
    base32.encode(concatBytes(Uint8Array.of(1, 0x70, 0x13, 32), digest)),
    base32.encode(concatBytes(Uint8Array.of(1, 0x70, 0x12, 31), digest)),
    base32.encode(concatBytes(Uint8Array.of(2, 0x70, 0x12, 32), digest)),
    base58btc.baseEncode(concatBytes(Uint8Array.of(0x12, 31), digest)),
    base58btc.baseEncode(concatBytes(Uint8Array.of(0x13, 32), digest)),
    'z'.repeat(46),
    '1'.repeat(46),
    '0'.repeat(46),
    '0'.repeat(65),
  ];
  for (const text of others) {
    for (const reader of [readHexDigest, readCidV0Digest, readCidV1Digest]) {
      assert.equal(read(reader, text), undefined, text);
    }
  }
});
