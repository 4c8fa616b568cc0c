import assert from 'node:assert/strict';
import { test } from 'node:test';
import { urlBytesMax } from '../record/url.ts';
import { urlVariants } from './variants.ts';

const cases: readonly (readonly [url: string, variants: readonly string[]])[] = [
  ['http://dead.example/a', ['http://www.dead.example/a']],
  ['https://www.dead.example/a', ['https://dead.example/a']],
  ['http://dead.example:8080/', ['http://www.dead.example:8080/']],
  [
    'http://dead.example/a?utm_source=x&b=1&fbclid=y',
    [
      'http://dead.example/a?b=1',
      'http://www.dead.example/a?b=1',
      'http://www.dead.example/a?utm_source=x&b=1&fbclid=y',
    ],
  ],
  [
    'http://www.dead.example/?gclid=1',
    ['http://www.dead.example/', 'http://dead.example/', 'http://dead.example/?gclid=1'],
  ],
  ['http://dead.example/a?b=?utm_source=1', ['http://www.dead.example/a?b=?utm_source=1']],
  ['http://127.0.0.1/a', []],
  ['http://[2001:db8::1]/a', []],
  ['http://localhost/a', []],
  ['http://www.example/a', ['http://www.www.example/a']],
  [`http://dead.example/${'x'.repeat(urlBytesMax - 20)}`, []],
];

for (const [url, variants] of cases) {
  test(`other spellings of ${url.slice(0, 50)}`, () => {
    assert.deepEqual(urlVariants(url), variants);
  });
}
