import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAltNetError } from '../base/errors.ts';
import { checkLink } from './check.ts';
import { checkTarget, targetFlaw } from './target.ts';
import type { Link } from './types.ts';

const good = [
  'https://mirror.example/driver.rar',
  'HTTP://mirror.example/',
  'magnet:?xt=urn:btih:0123',
  'ipfs://bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi/x',
  'http://alice.alt/driver.rar',
  'ed2k://|file|driver.rar|1|0123456789abcdef|/',
  'x-own+scheme.1:something',
  `https://mirror.example/${'x'.repeat(512 - 23)}`,
];

for (const target of good) {
  test(`a target: ${target.slice(0, 40)}`, () => assert.equal(targetFlaw(target), undefined));
}

const bad = [
  '',
  'mirror.example/driver.rar',
  '/etc/passwd',
  'https:',
  ':x',
  '1a:x',
  'javascript:alert(1)',
  'JavaScript:alert(1)',
  'data:text/html,<script>',
  'file:///etc/passwd',
  'vbscript:x',
  ' https://mirror.example/',
  'https://mirror.example/a b',
  'java\tscript:alert(1)',
  'https://mirror.example/\u0000',
  'https://mirror.example/\u202Egpj.exe',
  'https://mirror.example/\u2028',
  `https://mirror.example/${'x'.repeat(513 - 23)}`,
  `https://mirror.example/${'ü'.repeat(250)}`,
];

for (const target of bad) {
  test(`no target: ${JSON.stringify(target.slice(0, 40))}`, () => {
    assert.throws(
      () => checkTarget(target),
      (error) => {
        assert.ok(isAltNetError(error, 'BAD_URL'));
        return error.message.length < 250;
      },
    );
  });
}

const target = 'ipfs://x';
const badLinks: Record<string, Link> = {
  sha256: { target, sha256: new Uint8Array(31) },
  size: { target, size: -1 },
  type: { target, type: 'x'.repeat(65) },
  captured: { target, captured: 1.5 },
  note: { target, note: 'two\nlines' },
};

for (const [what, link] of Object.entries(badLinks)) {
  test(`a link with a bad ${what} is told so`, () => {
    assert.throws(
      () => checkLink(link),
      (error) => {
        assert.ok(isAltNetError(error, 'BAD_ARGUMENT'));
        return error.details.what === what;
      },
    );
  });
}

test('a link with everything is good', () => {
  const sha256 = new Uint8Array(32);
  checkLink({ target, sha256, size: 0, type: 'text/html', captured: 0, note: 'ü'.repeat(70) });
});
