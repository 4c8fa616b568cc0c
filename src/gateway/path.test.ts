import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../test/support/property.ts';
import { formatPath, isBadPath, parsePath, type SitePath } from './path.ts';

test('a path is decoded once and means one thing', () => {
  const good: [string, string[], boolean, string][] = [
    ['/', [], true, ''],
    ['/a/b.html', ['a', 'b.html'], false, ''],
    ['/a/?x=/../y', ['a'], true, '?x=/../y'],
    ['/%C3%BC%20%2525', ['ü %25'], false, ''],
    ['//evil.example//a', ['evil.example', 'a'], false, ''],
    ['/...', ['...'], false, ''],
    ['/a#b', ['a'], false, ''],
    ['/a\\b', ['a\\b'], false, ''],
  ];
  for (const [target, segments, slash, query] of good) {
    assert.deepEqual(parsePath(target), { segments, slash, query }, target);
  }
  for (const bad of [
    '',
    'a',
    '*',
    '/..',
    '/a/%2e%2e/b',
    '/.',
    '/a%2fb',
    '/%00',
    '/%ff',
    '/%',
    '/%zz',
  ]) {
    assert.ok(isBadPath(parsePath(bad)), bad);
  }
  assert.deepEqual(Reflect.get(parsePath(`/${'a'.repeat(5000)}`), 'status'), 414);
});

test('any path survives its written form, which always stays on this host', () => {
  const name = fc
    .string({ minLength: 1, unit: 'grapheme' })
    .filter((text) => !/^\.\.?$|[/\0]/.test(text) && text.isWellFormed());
  checkProperty(
    fc.property(fc.array(name, { maxLength: 5 }), fc.boolean(), (segments, slash) => {
      const path: SitePath = { segments, slash: slash || segments.length === 0, query: '' };
      const text = formatPath(path);
      assert.match(text, /^\/(?![/\\])/);
      if (text.length <= 4096) assert.deepEqual(parsePath(text), path);
    }),
  );
});

test('no path is more than it says', () => {
  checkProperty(
    fc.property(fc.string({ maxLength: 60 }), (text) => {
      const path = parsePath(`/${text}`);
      if (isBadPath(path)) return;
      for (const name of path.segments) {
        assert.ok(name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name));
      }
    }),
  );
});
