import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../test/support/property.ts';
import {
  formatFields,
  formatMoment,
  formatSeconds,
  formatTable,
  sanitize,
  sanitizeLines,
  toJsonLine,
} from './format.ts';

const unsafe = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

test('escape sequences, line ends and reordering characters become visible text', () => {
  assert.equal(sanitize('\u001B[2Jx'), String.raw`\u001b[2Jx`);
  assert.equal(sanitize('\u009B31m'), String.raw`\u009b31m`);
  assert.equal(sanitize('a\nb\u2028c'), String.raw`a\u000ab\u2028c`);
  assert.equal(sanitize('cod.\u202Eexe'), String.raw`cod.\u202eexe`);
  assert.equal(sanitize('Grüße, 日本 👋'), 'Grüße, 日本 👋');
  assert.equal(sanitizeLines('a\tb\r\nc\u0007'), 'a\tb\nc\\u0007');
});

test('no text gets through unsafe, and JSON still means the same', () => {
  checkProperty(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.doesNotMatch(sanitize(text), unsafe);
      const line = toJsonLine({ text });
      assert.doesNotMatch(line, unsafe);
      assert.deepEqual(JSON.parse(line), { text });
    }),
  );
});

test('times are short', () => {
  assert.deepEqual([0.04, 9.96, 59.6, 200, 3700, 90_000].map(formatSeconds), [
    '0.0 s',
    '10 s',
    '1 min 0 s',
    '3 min 20 s',
    '1 h 1 min',
    '1 d 1 h',
  ]);
  assert.equal(formatMoment(1_767_225_600), '2026-01-01 00:00 UTC');
  assert.equal(formatMoment(1e300), '1e+300');
});

test('fields and tables are aligned, and hold no unsafe text', () => {
  assert.deepEqual(
    formatFields([
      ['a', 1],
      ['long', '\u001B'],
      ['none', undefined],
    ]),
    ['a     1', String.raw`long  \u001b`],
  );
  assert.deepEqual(
    formatTable(
      ['A', 'B'],
      [
        ['x\n', 'y'],
        ['1', ''],
      ],
    ),
    ['A        B', String.raw`x\u000a  y`, '1'],
  );
});
