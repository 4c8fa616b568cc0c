/** What is on sites, as a browser gets it. */
import assert from 'node:assert/strict';
import type { OutgoingHttpHeaders } from 'node:http';
import { test } from 'node:test';
import { type Reply, runGateway, tree, until } from '../../test/support/gateway.ts';
import { manualWorld } from '../../test/support/manual-world.ts';
import { fileCid } from '../../test/support/memory-sites.ts';
import { toHex, utf8 } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import { keyId } from '../identity/key.ts';

const big = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7) & 255);

test('a site is served under its name and under its root', async (t) => {
  const { sites, names, ask } = await runGateway(t);
  const root = sites.add(tree);
  names.set('alice', { state: 'ok', root });
  names.set('fresh', { state: 'new', root });
  names.set('blog.alice', { state: 'ok', root });
  names.set('known', { state: 'ok', root, stale: true });
  const hosts = ['alice.localhost', 'alice.alt', 'fresh.localhost', 'ALICE.alt:80'];
  for (const host of [...hosts, 'blog.alice.localhost', 'Blog.alice.alt', 'known.localhost']) {
    const { status, headers, text } = await ask(host, '/');
    assert.equal(status, 200, host);
    assert.equal(text, tree['index.html']);
    assert.equal(headers['content-type'], 'text/html; charset=utf-8');
    assert.equal(headers['content-length'], '14');
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['etag'], `"${fileCid(utf8(tree['index.html'])).toString()}"`);
    assert.equal(headers['cache-control'], 'public, max-age=5, must-revalidate');
    assert.equal(headers['server'], undefined);
    assert.equal(headers['last-modified'], undefined);
  }
  const pinned = await ask(`${root.toString()}.localhost`, '/style.css?v=1');
  assert.equal(pinned.text, tree['style.css']);
  assert.equal(pinned.headers['content-type'], 'text/css; charset=utf-8');
  assert.equal(pinned.headers['cache-control'], 'public, max-age=31536000, immutable');
  assert.equal((await ask('alice.localhost', '/files/a%20b.txt')).text, 'ä');
  assert.equal((await ask('alice.localhost', '/docs/')).text, tree['docs/index.html']);
});

test('a folder needs its slash, and the way there stays on the host', async (t) => {
  const { sites, names, ask } = await runGateway(t);
  names.set('alice', { state: 'ok', root: sites.add({ ...tree, 'evil.example/index.html': '' }) });
  const moved = await ask('alice.localhost', '/docs?q=1');
  assert.equal(moved.status, 308);
  assert.equal(moved.headers['location'], '/docs/?q=1');
  assert.equal(moved.headers['cache-control'], 'public, max-age=5, must-revalidate');
  const evil = await ask('alice.localhost', '//evil.example');
  assert.equal(evil.status, 308);
  assert.equal(evil.headers['location'], '/evil.example/');
});

test('a folder without index is listed', async (t) => {
  const { sites, names, ask } = await runGateway(t);
  names.set('alice', { state: 'ok', root: sites.add(tree) });
  const { status, text, headers } = await ask('alice.localhost', '/files/');
  assert.equal(status, 200);
  assert.match(text, /<a href="\.\/a%20b\.txt">a b\.txt<\/a>/);
  assert.match(text, /<a href="\.\/%3Cx%3E\.bin">&lt;x&gt;\.bin<\/a>/);
  assert.match(text, /href="\.\.\/"/);
  const etag = String(headers['etag']);
  const again = await ask('alice.localhost', '/files/', { headers: { 'if-none-match': etag } });
  assert.equal(again.status, 304);
});

test('what is not there is a 404, the site’s own page if it has one', async (t) => {
  const { sites, names, ask } = await runGateway(t);
  names.set('plain', { state: 'ok', root: sites.add(tree) });
  names.set('own', { state: 'ok', root: sites.add({ ...tree, '404.html': '<h1>lost?</h1>' }) });
  const plain = await ask('plain.localhost', '/no/<b>such%20page');
  assert.equal(plain.status, 404);
  assert.match(plain.text, /This site has no such page/);
  assert.doesNotMatch(plain.text, /<b>such/);
  assert.equal(plain.headers['cache-control'], 'no-store');
  const own = await ask('own.localhost', '/nothing', { headers: { range: 'bytes=0-1' } });
  assert.equal(own.status, 404);
  assert.equal(own.text, '<h1>lost?</h1>');
  assert.equal(own.headers['content-type'], 'text/html; charset=utf-8');
  assert.equal(own.headers['etag'], undefined);
  const head = await ask('own.localhost', '/nothing', { method: 'HEAD' });
  assert.equal(head.headers['content-length'], '14');
  assert.equal((await ask('own.localhost', '/style.css/')).status, 404);
});

test('a root that is a file is served as bytes', async (t) => {
  const { sites, ask } = await runGateway(t);
  const root = sites.add({ '': 'only me' });
  const { status, text, headers } = await ask(`${root.toString()}.localhost`, '/');
  assert.deepEqual([status, text], [200, 'only me']);
  assert.equal(headers['content-type'], 'application/octet-stream');
});

test('ranges, conditions and HEAD, from memory and from the stream', async (t) => {
  const { sites, names, ask } = await runGateway(t);
  const small = big.subarray(0, 10_000);
  names.set('alice', { state: 'ok', root: sites.add({ 'small.bin': small, 'big.bin': big }) });
  for (const [path, body] of [
    ['/small.bin', small],
    ['/small.bin', small],
    ['/big.bin', big],
  ] as const) {
    const get = (headers: OutgoingHttpHeaders, method = 'GET'): Promise<Reply> =>
      ask('alice.localhost', path, { headers, method });
    const { length } = body;
    const etag = `"${fileCid(body).toString()}"`;
    const cases: [Record<string, string>, number, Uint8Array, string | undefined][] = [
      [{ range: 'bytes=10-19' }, 206, body.subarray(10, 20), `bytes 10-19/${length}`],
      [
        { range: 'bytes=-5' },
        206,
        body.subarray(-5),
        `bytes ${length - 5}-${length - 1}/${length}`,
      ],
      [{ range: 'bytes=9999-' }, 206, body.subarray(9999), `bytes 9999-${length - 1}/${length}`],
      [{ range: `bytes=${length}-` }, 416, new Uint8Array(0), `bytes */${length}`],
      [{ range: 'bytes=0-1,3-4' }, 200, body, undefined],
      [{ range: 'bytes=1-2', 'if-range': etag }, 206, body.subarray(1, 3), `bytes 1-2/${length}`],
      [{ range: 'bytes=1-2', 'if-range': '"other"' }, 200, body, undefined],
      [{ 'if-none-match': `"x", W/${etag}` }, 304, new Uint8Array(0), undefined],
      [{ 'if-none-match': '*', range: 'bytes=1-2' }, 304, new Uint8Array(0), undefined],
      [{ 'if-none-match': '"x"' }, 200, body, undefined],
      [{}, 200, body, undefined],
    ];
    for (const [headers, status, bytes, contentRange] of cases) {
      const reply = await get(headers);
      const what = `${path} ${JSON.stringify(headers)}`;
      assert.equal(reply.status, status, what);
      assert.ok(reply.bytes.equals(bytes), what);
      assert.equal(reply.headers['content-range'], contentRange, what);
      if (status !== 416) assert.equal(reply.headers['etag'], etag);
      if (status !== 304) assert.equal(reply.headers['content-length'], String(bytes.length), what);
    }
    const head = await get({ range: 'bytes=1-2' }, 'HEAD');
    assert.equal(head.status, 200);
    assert.equal(head.headers['content-length'], String(length));
    assert.equal(head.headers['accept-ranges'], 'bytes');
    assert.equal(head.bytes.length, 0);
  }
  assert.equal(sites.reading, 0);
});

test('an empty file', async (t) => {
  const { sites, names, ask } = await runGateway(t);
  names.set('alice', { state: 'ok', root: sites.add({ 'empty.txt': '' }) });
  const { status, headers, bytes } = await ask('alice.localhost', '/empty.txt');
  assert.deepEqual([status, headers['content-length'], bytes.length], [200, '0', 0]);
  const range = await ask('alice.localhost', '/empty.txt', { headers: { range: 'bytes=0-' } });
  assert.equal(range.status, 416);
});

test('names and small files are remembered, until told to forget or a moment later', async (t) => {
  const world = manualWorld();
  const { sites, names, gateway, ask } = await runGateway(t, { world });
  names.set('alice', { state: 'ok', root: sites.add({ 'index.html': 'one' }) });
  const get = async (): Promise<string> => (await ask('alice.localhost', '/')).text;
  assert.deepEqual([await get(), await get()], ['one', 'one']);
  assert.deepEqual([names.asked.length, sites.opened.length], [1, 1]);
  names.set('alice', { state: 'ok', root: sites.add({ 'index.html': 'two' }) });
  assert.equal(await get(), 'one');
  world.advance(500);
  assert.equal(await get(), 'two');
  assert.deepEqual([names.asked.length, sites.opened.length], [2, 2]);
  names.set('alice', { state: 'contested', claimants: [] });
  gateway.forget();
  assert.equal((await ask('alice.localhost', '/')).status, 409);
  names.set('alice', { state: 'ok', root: sites.add({ 'index.html': 'two' }) });
  assert.equal(await get(), 'two');
  assert.equal(sites.opened.length, 3);
});

test('each state of a name has its page', async (t) => {
  const { names, ask } = await runGateway(t);
  const keys = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  names.set('fought', { state: 'contested', claimants: keys });
  names.set('old', { state: 'expired', expires: 1_800_000_000 });
  names.set('bad', { state: 'revoked' });
  names.set('empty', { state: 'ok' });
  names.set('lonely', { state: 'not-found', asked: 1 });
  names.set('gone', { state: 'not-found', freeAt: 1_800_000_000 });
  const cases: [label: string, status: number, text: RegExp][] = [
    ['nobody', 404, /Nobody holds nobody\.alt[^,]/],
    ['lonely', 404, /as far as this node knows[^]*next to nobody could be asked/],
    ['empty', 404, /Nobody holds empty\.alt/],
    ['gone', 404, /Others can take it from 2027-01-15 on/],
    ['gns', 404, /That cannot be a name/],
    ['fought', 409, /2 authors claim this name/],
    ['old', 410, /old\.alt has expired/],
    ['old', 410, /by 2027-01-15\. For 30 days after its end it is kept for that author/],
    ['blog.nobody', 404, /There is no blog\.nobody\.alt/],
    ['a.b.c', 404, /That is no name/],
    ['unheard', 504, /Those who would know do not answer/],
    ['bad', 410, /bad\.alt was revoked/],
  ];
  for (const [label, status, text] of cases) {
    const reply = await ask(`${label}.localhost`, '/');
    assert.equal(reply.status, status, label);
    assert.match(reply.text, text);
    assert.match(reply.text, /What to try/);
    assert.equal(reply.headers['cache-control'], 'no-store');
    assert.match(String(reply.headers['content-security-policy']), /default-src 'none'/);
  }
  const fought = await ask('fought.localhost', '/');
  for (const key of keys) assert.ok(fought.text.includes(toHex(keyId(key))));
});

test('what the layers below could not do is told with its status', async (t) => {
  const { sites, ask } = await runGateway(t);
  const host = `${sites.add(tree).toString()}.localhost`;
  const failures: [Error, number, RegExp][] = [
    [new AltNetError('NO_PROVIDERS', { root: 'x' }), 502, /No peer that holds x was found/],
    [new AltNetError('CONTENT_BAD', { root: 'x', why: '<y>' }), 502, /&lt;y&gt;/],
    [new AltNetError('TIMEOUT', { what: 'x', ms: 1 }), 504, /No answer in time/],
    [new AltNetError('BUSY', { what: 'x' }), 503, /Too much at once/],
    [new AltNetError('DISK_FULL', { folder: '/secret' }), 507, /no space left/],
    [new AltNetError('STORE_FULL', { bytes: 9, bytesMax: 8 }), 507, /no room for that site/],
    [new Error('secret'), 500, /Something went wrong/],
  ];
  for (const [failure, status, text] of failures) {
    sites.openFailure = failure;
    const reply = await ask(host, '/');
    assert.equal(reply.status, status);
    assert.match(reply.text, text);
    assert.doesNotMatch(reply.text, /secret/);
  }
  sites.openFailure = undefined;
  sites.readFailsAfter = 0;
  assert.equal((await ask(host, '/')).status, 502, 'the first piece decides, not the head');
  const bigHost = `${sites.add({ 'big.bin': big }).toString()}.localhost`;
  assert.equal((await ask(bigHost, '/big.bin')).status, 502);
  sites.readFailsAfter = 100_000;
  await assert.rejects(ask(bigHost, '/big.bin'), 'a half answer never looks like a whole one');
});

test('no answer in time is 504, for names and for content', async (t) => {
  const world = manualWorld();
  const { sites, ask } = await runGateway(t, { world, answerTimeoutMs: 1000 });
  sites.silent = true;
  const root = sites.add(tree).toString();
  for (const host of ['silent.localhost', `${root}.localhost`]) {
    const before = sites.opened.length;
    const reply = ask(host, '/');
    await until(
      () => world.pendingTimers() > 0 && (host.startsWith('s') || sites.opened.length > before),
    );
    world.advance(1000);
    assert.equal((await reply).status, 504);
  }
});
