/** What goes into pages, and what files are said to be. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { escapeHtml, html } from './html.ts';
import { formatListing } from './listing.ts';
import { mediaTypeOf } from './mime.ts';
import { formatPage, pageHeaders } from './page.ts';

test('media types', () => {
  const types: [string, string][] = [
    ['index.html', 'text/html; charset=utf-8'],
    ['A.CSS', 'text/css; charset=utf-8'],
    ['app.mjs', 'text/javascript; charset=utf-8'],
    ['data.json', 'application/json'],
    ['logo.svg', 'image/svg+xml'],
    ['photo.jpeg', 'image/jpeg'],
    ['font.woff2', 'font/woff2'],
    ['module.wasm', 'application/wasm'],
    ['LICENSE', 'text/plain; charset=utf-8'],
    ['html', 'application/octet-stream'],
    ['x.constructor', 'application/octet-stream'],
    ['x.unknown-ending', 'application/octet-stream'],
    ['', 'application/octet-stream'],
  ];
  for (const [name, type] of types) assert.equal(mediaTypeOf(name), type, name);
});

test('text in HTML stays text', () => {
  const evil = `<script>alert("1")</script>&'`;
  assert.equal(
    html`<p title="${evil}">${evil}${[html`<b>${1}</b>`, html``]}</p>`.text,
    `<p title="${escapeHtml(evil)}">${escapeHtml(evil)}<b>1</b></p>`,
  );
  assert.doesNotMatch(escapeHtml(evil), /[<>"']/);
});

test('a listing shows names as they are and leads nowhere else', () => {
  const names = [
    'javascript:alert(1)',
    '<img src=x onerror=alert(1)>',
    '//evil.example',
    'a b?#%.txt',
  ];
  const entries = names.map((name) => ({ name, size: 2048, type: 'file' as const }));
  const text = [...formatListing({ entries }, ['<x>'])].join('');
  assert.doesNotMatch(text, /<img|<x>/);
  assert.match(text, /<tbody>.*<a href="\.\/.*<\/tbody>.*<\/main>\s*<\/body>\s*<\/html>\s*$/s);
  for (const name of names) {
    assert.ok(text.includes(`<a href="./${encodeURIComponent(name).replaceAll("'", '&#39;')}">`));
  }
  assert.match(text, /href="\.\.\/"/);
  assert.match(text, /2\.0 kB/);
});

/** Of a list of so many entries: where "9" and "10" stand in it. */
function orderIn(count: number): string[] {
  const names = ['10', '9', ...Array.from({ length: count - 2 }, (_, i) => `x${i}`)];
  const entries = names.map((name) => ({ name, size: 1, type: 'file' as const }));
  const text = [...formatListing({ entries }, [])].join('');
  return [...text.matchAll(/href="\.\/(\d+)"/g)].map(([, name = '']) => name);
}

test('lists are in the order of numbers, unless they are too long for that', () => {
  assert.deepEqual(orderIn(1000), ['9', '10']);
  assert.deepEqual(orderIn(1001), ['10', '9']);
});

test('the policy of a page allows its own style and nothing else', () => {
  const text = formatPage({ title: '<&>', body: html`<h1>x</h1>` });
  const styles = [...text.matchAll(/<style>([^]*?)<\/style>/g)].map(([, style = '']) => style);
  assert.equal(styles.length, 1);
  const hash = createHash('sha256')
    .update(styles[0] ?? '')
    .digest('base64');
  const policy = pageHeaders['content-security-policy'] ?? '';
  assert.ok(policy.includes(`style-src 'sha256-${hash}'`));
  assert.doesNotMatch(policy, /unsafe| \*[ ;]/);
  assert.match(text, /<title>&lt;&amp;&gt;<\/title>/);
});
