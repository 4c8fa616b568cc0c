import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { SigningKey } from '../identity/key.ts';
import { checkProperty } from '../../test/support/property.ts';
import { isLabel, keyName, parseKeyName, parseLabel } from './label.ts';

interface LabelVectors {
  readonly accepted: readonly { readonly text: string; readonly label: string }[];
  readonly refused: readonly { readonly text: string; readonly why: string }[];
  readonly keyNames: readonly { readonly publicKey: string; readonly label: string }[];
}

const file = path.join(import.meta.dirname, '../../test/vectors/names/labels.json');
const vectors = JSON.parse(readFileSync(file, 'utf8')) as LabelVectors;

for (const { text, label } of vectors.accepted) {
  test(`"${text}" names ${label}`, () => {
    assert.deepEqual(parseLabel(text), { ok: true, label });
    assert.ok(isLabel(label), 'storers accept what people may type');
    assert.deepEqual(parseLabel(`${label}.alt`), { ok: true, label });
  });
}

for (const { text, why } of vectors.refused) {
  test(`${JSON.stringify(text)} is refused: ${why}`, () => {
    const parsed = parseLabel(text);
    assert.ok(!parsed.ok);
    assert.ok(parsed.why.includes(why), parsed.why);
  });
}

for (const { publicKey, label } of vectors.keyNames) {
  test(`the key name of ${publicKey.slice(0, 8)}…`, () => {
    const key = Uint8Array.from(Buffer.from(publicKey, 'hex'));
    assert.equal(keyName(key), label);
    assert.deepEqual(parseKeyName(label), key);
    assert.ok(!isLabel(label));
  });
}

test('a mistyped key name is neither a key nor a name', () => {
  const { publicKey } = new SigningKey('author', new Uint8Array(32).fill(9));
  const label = keyName(publicKey);
  for (let at = 0; at < label.length; at += 1) {
    const typo = label.slice(0, at) + (label[at] === 'a' ? 'b' : 'a') + label.slice(at + 1);
    assert.equal(parseKeyName(typo), undefined, typo);
    assert.ok(!isLabel(typo), typo);
  }
  assert.equal(parseKeyName(label.slice(1)), undefined);
  assert.equal(parseKeyName(label.toUpperCase()), undefined);
});

test('what parseLabel accepts is final, and never contains anything but LDH', () => {
  checkProperty(
    fc.property(fc.string({ unit: 'binary', maxLength: 70 }), (text) => {
      const parsed = parseLabel(text);
      if (!parsed.ok) return;
      assert.match(parsed.label, /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);
      assert.ok(isLabel(parsed.label));
      assert.deepEqual(parseLabel(parsed.label), parsed);
    }),
  );
});
