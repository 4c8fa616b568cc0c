import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseHex, toHex } from '../base/bytes.ts';
import { checkProperty } from '../../test/support/property.ts';
import { type BodyValue, decodeBody, encodeBody } from './body.ts';

test('a body survives encoding and decoding', () => {
  const leaf = fc.oneof(fc.maxSafeInteger(), fc.string(), fc.uint8Array({ maxLength: 40 }));
  const value: fc.Arbitrary<BodyValue> = fc.oneof(leaf, fc.array(leaf, { maxLength: 5 }));
  checkProperty(
    fc.property(fc.array(fc.tuple(fc.nat(300), value), { maxLength: 12 }), (entries) => {
      const body = new Map(entries);
      assert.deepEqual(decodeBody(encodeBody(body)), body);
    }),
  );
});

test('fields without a value are left out, keys are in order', () => {
  const body = encodeBody(
    new Map<number, BodyValue | undefined>([
      [2, 'b'],
      [3, undefined],
      [1, 7],
    ]),
  );
  assert.equal(toHex(body), 'a20107026162');
});

const refused: Readonly<Record<string, string>> = {
  'nothing at all': '',
  'not a map': '8101',
  'bytes after the map': 'a000',
  'a text key': 'a1616101',
  'keys out of order': 'a202010101',
  'a key twice': 'a201010102',
  'a longer integer than needed': 'a1011801',
  'a longer length than needed': 'a101580161',
  'an indefinite map': 'bf0101ff',
  'indefinite text': 'a1017f6161ff',
  'a float': 'a101f93e00',
  'an integer as float': 'a101f93c00',
  'not a number': 'a101f97e00',
  null: 'a101f6',
  undefined: 'a101f7',
  'a boolean': 'a101f5',
  'a tag': 'a101c001',
  'an integer beyond 2^53': 'a1011bffffffffffffffff',
  'text that is not UTF-8': 'a10161ff',
  'half a surrogate pair': 'a10163eda080',
  'text that begins with a byte order mark': 'a10164efbbbf61',
  'text that begins with two of them': 'a10166efbbbfefbbbf',
  'a key that begins with one': 'a101a164efbbbf6101',
  'an array that is not all there': 'a1019a00ffffff01',
  'deep nesting': `a101${'81'.repeat(800)}01`,
  'a nested map with a byte key': 'a101a1416101',
  'a nested map out of order': 'a101a202010101',
};

for (const [what, hex] of Object.entries(refused)) {
  test(`a body is refused: ${what}`, () => {
    const bytes = parseHex(hex);
    assert.ok(bytes, 'the example is hexadecimal');
    assert.equal(decodeBody(bytes), undefined);
  });
}

test('nested lists and maps are allowed to a depth of four', () => {
  const nested = new Map([[1, new Map([['a', [[1]]]])]]);
  assert.deepEqual(decodeBody(encodeBody(nested)), nested);
  assert.equal(decodeBody(encodeBody(new Map([[1, [nested]]]))), undefined);
});

test('any bytes are answered, never thrown at', () => {
  checkProperty(
    fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
      const body = decodeBody(bytes);
      if (body) assert.deepEqual(encodeBody(body), Uint8Array.from(bytes));
    }),
  );
});
