/** The rules of `_redirects`: which lines are rules, and where they lead. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../test/support/property.ts';
import { utf8 } from '../base/bytes.ts';
import { isBadPath, parsePath, type SitePath } from './path.ts';
import { followRedirects, type Hit, isBadRedirects, parseRedirects } from './redirects.ts';

function pathOf(target: string): SitePath {
  const path = parsePath(target);
  if (isBadPath(path)) throw new Error(path.why);
  return path;
}

function follow(text: string, target: string): Hit | undefined {
  const redirects = parseRedirects(utf8(text));
  if (isBadRedirects(redirects)) throw new Error(redirects.why);
  return followRedirects(redirects, pathOf(target));
}

/** "301 /there", or "200 there" for a page. */
function led(text: string, target: string): string | undefined {
  const hit = follow(text, target);
  if (hit?.kind !== 'page') return hit && `${hit.status} ${hit.location}`;
  return `${hit.status} ${hit.path.segments.join('/')}`;
}

test('where rules lead', () => {
  const cases: [rules: string, target: string, to: string | undefined][] = [
    ['/a /b', '/a', '301 /b'],
    ['/a /b', '/A', undefined],
    ['/a /b', '/a/c', undefined],
    ['/a/ /b', '/a', '301 /b'],
    ['/a /b/', '/a/', '301 /b/'],
    ['/ /b 302', '/', '302 /b'],
    ['\t/a   /b\t303  ', '/a', '303 /b'],
    ['# /a /c\r\n\r\n/a /b 307 # why\r\n', '/a', '307 /b'],
    ['\uFEFF/a /b 308', '/a', '308 /b'],
    ['/a /b\n/a /c', '/a', '301 /b'],
    ['/a /index.html 200', '/a', '200 index.html'],
    ['/a /gone.html 410', '/a', '410 gone.html'],
    ['/posts/:year/:title /p/:title-:year.html', '/posts/26/x', '301 /p/x-26.html'],
    ['/posts/:year/:title /p/:title', '/posts/26', undefined],
    ['/posts/:year /p?y=:year#:year', '/posts/26', '301 /p?y=26#26'],
    ['/posts/* /articles/:splat', '/posts/2022/06/x', '301 /articles/2022/06/x'],
    ['/posts/* /articles/:splat', '/posts/a/', '301 /articles/a/'],
    ['/posts/* /articles/:splat', '/posts', '301 /articles/'],
    ['/:a/* /:splat/:a 302', '/x/y/z', '302 /y/z/x'],
    ['/* /index.html 200', '/deep/link', '200 index.html'],
    ['/a /b', '/a?q=1&r', '301 /b?q=1&r'],
    ['/a /b#part', '/a?q=1', '301 /b?q=1#part'],
    ['/a /b?own=1', '/a?q=1', '301 /b?own=1'],
    ['/wiki/:page /w/Talk:Page/:page', '/wiki/x', '301 /w/Talk%3APage/x'],
    ['/straße /weg', '/stra%C3%9Fe', '301 /weg'],
    ['/a%20b /c', '/a b', '301 /c'],
    ['/a /weg/ä', '/a', '301 /weg/%C3%A4'],
    ['/a https://example.com', '/a', '301 https://example.com/'],
    ['/a/* https://example.com/x/:splat 302', '/a/b/c?d', '302 https://example.com/x/b/c?d'],
    ['/a https://example.com:8080/?b', '/a', '301 https://example.com:8080/?b'],
  ];
  for (const [rules, target, to] of cases) assert.equal(led(rules, target), to, rules + target);
});

test('nothing that is filled in becomes a header, a host or a way out', () => {
  const cases: [rules: string, target: string, to: string][] = [
    ['/go/* /:splat 302', '/go//evil.example/x', '302 /evil.example/x'],
    ['/go/* //evil.example/:splat 302', '/go/x', '302 /evil.example/x'],
    ['/go/:x /:x 302', '/go/%5Cevil.example', '302 /%5Cevil.example'],
    ['/go/:x /:x 302', '/go/a%0D%0ASet-Cookie:b=c', '302 /a%0D%0ASet-Cookie%3Ab%3Dc'],
    ['/go/:x https://example.com:x', '/go/a', '301 https://example.com:x'],
    [
      '/go/* https://example.com/:splat',
      '/go/%40evil.example',
      '301 https://example.com/%40evil.example',
    ],
    ['/go/:x https://example.com?y=:x', '/go/a&b#', '301 https://example.com/?y=a%26b'],
  ];
  for (const [rules, target, to] of cases) {
    if (rules.includes('.com:x')) assert.throws(() => follow(rules, target), /cannot be led to/);
    else assert.equal(led(rules, target), to, rules);
  }
});

test('a rule that leads back to where one is, is passed over', () => {
  assert.equal(led('/* /home 302', '/x'), '302 /home');
  assert.equal(led('/* /home 302', '/home'), undefined);
  assert.equal(led('/* /home/ 302\n/home /there 301', '/home'), '301 /there');
  assert.equal(led('/* /index.html 200', '/index.html'), undefined);
});

test('lines that cannot be followed say where they are and why', () => {
  const cases: [text: string, line: number | undefined, why: RegExp][] = [
    ['/a', 1, /not to where/],
    ['# fine\n\n/a b', 3, /begins with a slash, or to an http/],
    ['a /b', 1, /must be a path/],
    ['https://x.example/a /b', 1, /must be a path/],
    ['/a?b /c', 1, /without query/],
    ['/a /b 200!', 1, /cannot hide what exists/],
    ['/a /b 305', 1, /"305" is not supported/],
    ['/a /b abc', 1, /not supported/],
    ['/a /b 301 Country=x', 1, /three words/],
    ['/a id=:id /b/:id', 1, /three words/],
    ['/a*/b /c', 1, /an asterisk stands alone/],
    ['/a/*/b /c', 1, /an asterisk stands alone/],
    ['/:a/:a /c', 1, /":a" twice/],
    ['/:splat /c', 1, /what the asterisk means/],
    ['/a javascript:alert(1)', 1, /begins with a slash/],
    ['/a https://user@example.com/', 1, /without user/],
    ['/:a https://:a.example/', 1, /cannot be led to/],
    ['/a https://', 1, /cannot be led to/],
    ['/a https://example.com/ 200', 1, /only to a path of this site/],
    ['/a /b\0', 1, /control character/],
    ['/../a /b', 1, /is no path/],
    ['/a%ff /b', 1, /is no path/],
    ['/a /b\n'.repeat(2001), undefined, /more than 2000 rules/],
  ];
  for (const [text, line, why] of cases) {
    const bad = parseRedirects(utf8(text));
    assert.ok(isBadRedirects(bad), text);
    assert.equal(bad.line, line, text);
    assert.match(bad.why, why);
  }
  assert.ok(isBadRedirects(parseRedirects(Uint8Array.of(0xff, 0xfe))));
});

test('whatever is written and asked, a location is one line and stays where it should', () => {
  const word = fc.stringMatching(/^[/:*a-c#?%.\\@é"<-]{1,12}$/);
  const line = fc.tuple(word, word).map(([from, to]) => `/${from} /${to} 302`);
  const target = fc.stringMatching(/^[/a-c%0-9A-F:]{0,16}$/).map((text) => `/${text}`);
  checkProperty(
    fc.property(line, target, (text, asked) => {
      const path = parsePath(asked);
      const redirects = parseRedirects(utf8(text));
      if (isBadPath(path) || isBadRedirects(redirects)) return;
      const hit = followRedirects(redirects, path);
      if (hit?.kind === 'redirect') assert.match(hit.location, /^\/(?!\/)[\x21-\x7e]*$/);
    }),
  );
});

test('the longest path against the most rules comes to an end', () => {
  const rules = '/a/:b/:c/:d/* /x\n'.repeat(2000);
  assert.equal(led(rules, `/z${'/a'.repeat(2000)}`), undefined); // backtracking would take years
});

test('a location is no longer than a browser takes, whatever a rule repeats', () => {
  const repeated = `/:a https://example.com/${':a'.repeat(30_000)}`;
  assert.equal(led(repeated, `/${'x'.repeat(4000)}`), undefined);
  assert.equal(led(`${repeated}\n/* /b`, `/${'x'.repeat(4000)}`), '301 /b');
  assert.equal(follow(repeated.replaceAll(':a', ':a/'), '/x'), undefined);
});

test('rules that match and lead nowhere are not tried without end', () => {
  const here = '/* /:splat\n';
  assert.equal(led(`${here.repeat(7)}/x /y`, '/x'), '301 /y');
  assert.equal(led(`${here.repeat(8)}/x /y`, '/x'), undefined);
});

test('what is said of a line does not grow with it', () => {
  const long = 'x'.repeat(60_000);
  for (const text of [`/a /b ${long}`, `/a https://${long}@/`, `/:${long}/:${long.slice(1)}x /b`]) {
    const bad = parseRedirects(utf8(text));
    assert.ok(isBadRedirects(bad) && bad.why.length < 200, text.slice(0, 20));
  }
});
