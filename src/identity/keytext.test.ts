import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { isAltNetError } from '../base/errors.ts';
import { checkProperty } from '../../test/support/property.ts';
import { SigningKey } from './key.ts';
import { encodeKeyText, exportKeyString, importKeyString, parseKeyText } from './keytext.ts';

const author = new SigningKey('author', new Uint8Array(32).fill(1));
const node = new SigningKey('node', new Uint8Array(32).fill(1));

function isBadKeyString(error: unknown): boolean {
  return isAltNetError(error, 'BAD_KEY_STRING');
}

test('a key survives being written down', () => {
  checkProperty(
    fc.property(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.constantFrom('node', 'author'),
      (seed, kind) => {
        const parsed = parseKeyText(encodeKeyText(new SigningKey(kind, seed)));
        assert.ok(parsed.ok);
        assert.equal(parsed.key.kind, kind);
        assert.deepEqual(parsed.key.exportSeed(), Uint8Array.from(seed));
      },
    ),
  );
});

test('the text of a key stays what it is', () => {
  assert.equal(
    exportKeyString(author),
    'altnet-author-key-1-aeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeara2xg2ldupl4k',
  );
});

test('an exported key may come back with space and capitals', () => {
  const text = ` ${exportKeyString(author).toUpperCase()}\r\n`;
  assert.deepEqual(importKeyString(text).publicKey, author.publicKey);
});

test('every mistyped character is noticed, and not repeated', () => {
  const text = exportKeyString(author);
  for (let at = 0; at < text.length; at += 1) {
    const typo = text.slice(0, at) + (text[at] === 'a' ? 'b' : 'a') + text.slice(at + 1);
    const parsed = parseKeyText(typo);
    assert.ok(!parsed.ok, typo);
    assert.ok(!parsed.why.includes(typo.slice(20, 30)));
  }
  for (const other of ['', 'altnet', text.slice(1), `${text}a`, text.replace('-1-', '-2-')]) {
    assert.throws(() => importKeyString(other), isBadKeyString);
  }
});

test('a node key is neither exported nor imported', () => {
  assert.throws(() => exportKeyString(node));
  assert.throws(() => importKeyString(encodeKeyText(node)), isBadKeyString);
});

test('a key shows no secret when it is logged', () => {
  const secret = Buffer.from(author.exportSeed()).toString('hex');
  const shown = inspect(author, { depth: 9, showHidden: true }) + JSON.stringify({ author });
  assert.ok(!shown.includes(secret));
  assert.ok(!/01 01 01|1, 1, 1/.test(shown));
});
