import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { toHex } from '../base/bytes.ts';
import { isAltNetError } from '../base/errors.ts';
import { isPublicKey } from '../identity/curve.ts';
import { SigningKey } from '../identity/key.ts';
import { keyName } from '../record/label.ts';
import { parseAuthor } from './words.ts';

function keyOf(fill: number): SigningKey {
  return new SigningKey('author', new Uint8Array(32).fill(fill));
}

describe('an author', () => {
  const { publicKey } = keyOf(7);
  const name = keyName(publicKey);

  for (const text of [name, `${name}.alt`, `${name}.alt`.toUpperCase(), toHex(publicKey)]) {
    test(`is known by ${text}`, () => assert.deepEqual(parseAuthor(text), publicKey));
  }

  test('is not known by what is no public key', () => {
    const id = [1, 2, 3, 4, 5].map((fill) => keyOf(fill).id).find((bytes) => !isPublicKey(bytes));
    const other = name.startsWith('a') ? 'b' : 'a';
    const refusals: [text: string, says: RegExp][] = [
      [toHex(id ?? assert.fail()), /no public key, though an author ID looks like this/],
      ['00'.repeat(32), /no public key/],
      [keyName(new Uint8Array(32)), /no public key/],
      [`${other}${name.slice(1)}`, /write the author key name/],
      [name.slice(1), /write the author key name/],
      ['x'.repeat(1000), /^x{99}…: /],
    ];
    for (const [text, says] of refusals) {
      const isRefusal = (error: unknown): boolean =>
        isAltNetError(error, 'BAD_ARGUMENT') && says.test(error.message);
      assert.throws(() => parseAuthor(text), isRefusal, text);
    }
  });
});
