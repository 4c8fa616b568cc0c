import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { smallOrderPoints } from '../../test/support/small-order.ts';
import { type Bytes, parseHex, toHex, utf8 } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';
import { contactOf, formatContact, shortId } from './contact.ts';
import { SigningKey, verifySignature } from './key.ts';
import { isSoundPoint } from './point.ts';

/** The layout of Wycheproof's EddsaVerify files. */
interface VectorFile {
  readonly testGroups: readonly {
    readonly publicKey: { readonly pk: string };
    readonly tests: readonly {
      readonly tcId: number;
      readonly comment: string;
      readonly msg: string;
      readonly sig: string;
      readonly result: string;
    }[];
  }[];
}

function bytesOf(hex: string): Bytes {
  const bytes = parseHex(hex);
  assert.ok(bytes, 'vectors are hexadecimal');
  return bytes;
}

const vectors = path.join(import.meta.dirname, '../../test/vectors');
for (const name of ['ed25519/altnet.json', 'wycheproof/ed25519_test.json']) {
  test(`signatures are judged as ${name} says`, () => {
    const file = JSON.parse(readFileSync(path.join(vectors, name), 'utf8')) as VectorFile;
    assert.ok(file.testGroups.length > 0);
    for (const { publicKey, tests } of file.testGroups) {
      for (const { tcId, comment, msg, sig, result } of tests) {
        assert.ok(result === 'valid' || result === 'invalid', `vector ${tcId} has an outcome`);
        const judged = verifySignature({
          publicKey: bytesOf(publicKey.pk),
          message: bytesOf(msg),
          signature: bytesOf(sig),
        });
        assert.equal(judged, result === 'valid', `vector ${tcId}: ${comment}`);
      }
    }
  });
}

test('a key signs what it verifies, and has its ID from its public key', () => {
  const key = new SigningKey('author', new Uint8Array(32).fill(7));
  const message = utf8('hello');
  const signature = key.sign(message);
  assert.ok(verifySignature({ publicKey: key.publicKey, message, signature }));
  assert.ok(!verifySignature({ publicKey: key.publicKey, message: utf8('hallo'), signature }));
  assert.deepEqual(key.id, sha256(key.publicKey));
});

test('the seed handed out and taken in is a copy', () => {
  const seed = new Uint8Array(32).fill(7);
  const key = new SigningKey('node', seed);
  seed.fill(0);
  key.exportSeed().fill(0);
  assert.deepEqual(key.exportSeed(), new Uint8Array(32).fill(7));
});

/** Eight times a point of edwards25519, by the curve's equation; y-coordinates determine it. */
function timesEight(publicKey: Bytes): bigint {
  const p = 2n ** 255n - 19n;
  const mod = (n: bigint): bigint => ((n % p) + p) % p;
  const divide = (a: bigint, b: bigint): bigint => mod(a * power(mod(b), p - 2n, p));
  const d = divide(-121_665n, 121_666n);
  let y = BigInt(`0x${toHex(publicKey.toReversed())}`) & (2n ** 255n - 1n);
  for (let doubling = 0; doubling < 3; doubling += 1) {
    const xx = divide(y * y - 1n, d * y * y + 1n);
    y = divide(y * y + xx, 2n + xx - y * y);
  }
  return y;
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let b = base, e = exponent; e > 0n; e >>= 1n, b = (b * b) % modulus) {
    if (e & 1n) result = (result * b) % modulus;
  }
  return result;
}

test('keys for which anybody can sign are no keys', () => {
  const points = smallOrderPoints();
  assert.equal(new Set(points.map(toHex)).size, 10);
  for (const publicKey of points) {
    assert.equal(timesEight(publicKey), 1n, 'eight times it is the neutral element');
    assert.ok(!isSoundPoint(publicKey));
  }
  const { publicKey } = new SigningKey('node', new Uint8Array(32).fill(7));
  assert.notEqual(timesEight(publicKey), 1n);
  assert.ok(isSoundPoint(publicKey));
});

test('a key has one spelling', () => {
  const top = new Uint8Array(32).fill(0xff);
  for (let low = 0xed; low <= 0xff; low += 1) {
    for (const sign of [0x7f, 0xff]) {
      top[0] = low;
      top[31] = sign;
      assert.ok(!isSoundPoint(top));
    }
  }
  assert.ok(isSoundPoint(bytesOf(`eb${'ff'.repeat(30)}7f`)));
  assert.ok(isSoundPoint(bytesOf(`ff${'ff'.repeat(29)}fe7f`)));
  assert.ok(!isSoundPoint(new Uint8Array(31).fill(9)));
});

test('a contact has its ID from its key', () => {
  const { publicKey } = new SigningKey('node', new Uint8Array(32).fill(7));
  const contact = contactOf(publicKey, { ip: Uint8Array.of(192, 0, 2, 1), port: 9000 });
  assert.deepEqual(contact.id, sha256(publicKey));
  assert.equal(formatContact(contact), `192.0.2.1:9000#${toHex(contact.id).slice(0, 40)}`);
  assert.equal(shortId(contact.id).length, 40);
});
