/** What stands at a path: pages without their ending, redirects, what is missing, lists. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runGateway, tree } from '../../test/support/gateway.ts';
import { utf8 } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';

const nameCache = 'public, max-age=5, must-revalidate';
const rootCache = 'public, max-age=31536000, immutable';

const withRules = {
  'index.html': 'front',
  'one.html': 'one',
  '404.html': 'lost',
  '410.html': 'gone',
  '451.html': 'withheld',
  'docs/index.html': 'docs',
  'assets/app.js': 'app',
  _redirects: `
/redirect-one /one.html
/302-redirect /two 302
/out/* https://example.com/:splat 307
/200-index /index.html 200
/posts/:month/:year/:slug /articles/:year/:month/:slug 308
/not-found/* /404.html 404
/gone/* /410.html 410
/unavail/* /451.html 451
/bare-gone /nothing 410
/bare-withheld /nothing 451
/lost-page /nothing 200
/folder /docs 200
/assets/ /one.html 200
/one.html /two.html
/a /b
/b /c
/c /a
/grow/* /grow/x/:splat
/to-one/* /one
`,
};

test('redirects lead on, and only from where nothing is', async (t) => {
  const { sites, names, ask } = await runGateway(t);
  const root = sites.add(withRules);
  names.set('alice', { state: 'ok', root });
  const cases: [path: string, status: number, to: string][] = [
    ['/redirect-one', 301, '/one.html'],
    ['/redirect-one/?q=1', 301, '/one.html?q=1'],
    ['/302-redirect', 302, '/two'],
    ['/out/a/b?c', 307, 'https://example.com/a/b?c'],
    ['/posts/06/2022/hello%20world', 308, '/articles/2022/06/hello%20world'],
    ['/200-index', 200, 'front'],
    ['/not-found/x', 404, 'lost'],
    ['/gone/x', 410, 'gone'],
    ['/unavail/x', 451, 'withheld'],
    ['/lost-page', 404, 'lost'],
    ['/folder', 200, 'docs'],
    ['/assets/', 200, 'one'],
    ['/one.html', 200, 'one'],
    ['/to-one/x', 301, '/one'],
    ['/nowhere', 404, 'lost'],
  ];
  for (const [path, status, to] of cases) {
    for (const [host, cacheControl] of [
      ['alice.localhost', nameCache],
      [`${root.toString()}.localhost`, rootCache],
    ] as const) {
      const { status: have, headers, text } = await ask(host, path);
      assert.equal(have, status, path);
      assert.equal(headers['location'] ?? text, to, path);
      assert.equal(headers['cache-control'], status < 400 ? cacheControl : nameCache, path);
    }
  }
  for (const [path, status] of [
    ['/bare-gone', 410],
    ['/bare-withheld', 451],
  ] as const) {
    const reply = await ask('alice.localhost', path);
    assert.equal(reply.status, status);
    assert.match(reply.text, /The author of this site/);
  }
});

test('redirects that never arrive are told, not followed', async (t) => {
  const { sites, names, ask } = await runGateway(t);
  names.set('alice', { state: 'ok', root: sites.add(withRules) });
  for (const path of ['/a', '/b', '/grow/y']) {
    const reply = await ask('alice.localhost', path);
    assert.equal(reply.status, 500, path);
    assert.match(reply.text, /lead in a circle/);
  }
  names.set('ends', { state: 'ok', root: sites.add({ ...withRules, 'c.html': 'c' }) });
  assert.equal((await ask('ends.localhost', '/a')).status, 301);
});

test('rules are read once for each root', async (t) => {
  const { sites, names, ask } = await runGateway(t);
  names.set('alice', { state: 'ok', root: sites.add(withRules) });
  names.set('plain', { state: 'ok', root: sites.add(tree) });
  for (const host of ['alice.localhost', 'plain.localhost']) {
    for (const path of ['/x', '/y', '/z']) await ask(host, path);
  }
  assert.equal(sites.opened.filter((path) => path === '_redirects').length, 2);
});

test('rules with a mistake are told where nothing is, and nowhere else', async (t) => {
  const { sites, names, ask } = await runGateway(t);
  const files = { 'index.html': 'front', 'list/x': 'x' };
  for (const [rules, why] of [
    ['/a /b\n/c', /has a mistake in line 2: it says from where/],
    [`#${'x'.repeat(65_536)}`, /has a mistake: it has more than 64 KiB/],
  ] as const) {
    const host = `${sites.add({ ...files, _redirects: rules }).toString()}.localhost`;
    const missing = await ask(host, '/missing');
    assert.equal(missing.status, 500);
    assert.match(missing.text, why);
    assert.equal(missing.headers['cache-control'], 'no-store');
    assert.equal((await ask(host, '/')).text, 'front');
    assert.equal((await ask(host, '/list/')).status, 200);
  }
  names.set('empty', { state: 'ok', root: sites.add({ ...files, _redirects: '' }) });
  assert.equal((await ask('empty.localhost', '/missing')).status, 404);
});

test('a denied file of rules has none', async (t) => {
  const { sites, ask } = await runGateway(t);
  const host = `${sites.add(withRules).toString()}.localhost`;
  const open = sites.open.bind(sites);
  sites.open = (root, path, options) =>
    path === '_redirects'
      ? Promise.reject(new AltNetError('CONTENT_BLOCKED', { root: root.toString(), path }))
      : open(root, path, options);
  assert.equal((await ask(host, '/redirect-one')).status, 404);
});

test('a page can be had without its ending, unless something is there', async (t) => {
  const { sites, names, ask } = await runGateway(t);
  const root = sites.add({
    'index.html': 'front',
    'how.html': 'how',
    'a/deep.html': 'deep',
    'both.html': 'page',
    'both/index.html': 'folder',
    file: 'a file',
    'file.html': 'a page',
    _redirects: '/how /never\n/* /index.html 200',
  });
  names.set('alice', { state: 'ok', root });
  const cases: [path: string, status: number, to: string][] = [
    ['/how', 200, 'how'],
    ['/how.html', 200, 'how'],
    ['/how/?q', 308, '/how?q'],
    ['/a/deep', 200, 'deep'],
    ['/both', 308, '/both/'],
    ['/both/', 200, 'folder'],
    ['/file', 200, 'a file'],
    ['/file/', 200, 'front'],
    ['/how.html.html', 200, 'front'],
  ];
  for (const [path, status, to] of cases) {
    for (const _ of [1, 2]) {
      const reply = await ask('alice.localhost', path);
      assert.deepEqual([reply.status, reply.headers['location'] ?? reply.text], [status, to], path);
    }
  }
  const how = await ask('alice.localhost', '/how');
  assert.equal(how.headers['content-type'], 'text/html; charset=utf-8');
  assert.equal(how.headers['x-ipfs-path'], `/ipfs/${root.toString()}/how.html`);
});

test('many addresses of one page take the memory of one', async (t) => {
  const { sites, names, ask } = await runGateway(t);
  names.set('app', {
    state: 'ok',
    root: sites.add({ 'index.html': 'app', _redirects: '/* / 200' }),
  });
  await ask('app.localhost', '/some/view');
  const read = sites.bytesRead;
  for (let i = 0; i < 20; i++) {
    assert.equal((await ask('app.localhost', `/view/${i}`)).text, 'app');
  }
  assert.equal(sites.bytesRead, read);
});

test('a list shows folders first, the way up, and how large things are', async (t) => {
  const { sites, names, ask } = await runGateway(t);
  const files = {
    'b/x/2.txt': 'x',
    'b/x/10.txt': 'x',
    'b/x/sub/y': 'y',
    'b/x/a.txt': 'a'.repeat(3000),
  };
  const root = sites.add(files);
  names.set('alice', { state: 'ok', root });
  const { text, headers } = await ask('alice.localhost', '/b/x/');
  const links = [...text.matchAll(/<a href="([^"]*)">/g)].map(([, href]) => href);
  assert.deepEqual(links, ['../../', '../', '../', './sub/', './2.txt', './10.txt', './a.txt']);
  assert.match(text, /3\.0 kB/);
  assert.match(text, /4 entries/);
  assert.equal(headers['cache-control'], nameCache);
  const pinned = await ask(`${root.toString()}.localhost`, '/b/x/');
  assert.equal(pinned.headers['cache-control'], nameCache, 'another version may draw it otherwise');
});

test('a list of very many entries is sent as it is made', async (t) => {
  const { sites, names, ask } = await runGateway(t);
  const many = Array.from({ length: 10_000 }, (_, i) => [`file ${i}.txt`, utf8('x')] as const);
  names.set('alice', { state: 'ok', root: sites.add(Object.fromEntries(many)) });
  const { status, headers, text } = await ask('alice.localhost', '/');
  assert.equal(status, 200);
  assert.equal(headers['content-length'], undefined);
  assert.equal([...text.matchAll(/<tr>/g)].length, 10_001);
  assert.match(text, /The first 10000 entries/);
  const head = await ask('alice.localhost', '/', { method: 'HEAD' });
  assert.equal(head.headers['etag'], headers['etag']);
  const again = { headers: { 'if-none-match': String(headers['etag']) } };
  assert.equal((await ask('alice.localhost', '/', again)).status, 304);
});
