/** Which requests are answered at all, and by whom; many of them written by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { raw, runGateway, tree } from '../../test/support/gateway.ts';

const end = 'Connection: close\r\n\r\n';

function line(target: string, rest: string): string {
  return `GET ${target} HTTP/1.1\r\nHost: alice.alt\r\n${rest}`;
}

test('hosts of other kinds', async (t) => {
  const { ask, port } = await runGateway(t);
  const at = `:${port}`;
  const redirects: [host: string, path: string, location: string][] = [
    [`localhost${at}`, '/n/alice/a', `http://alice.localhost${at}/a`],
    [`127.0.0.1${at}`, '/open?name=alice.alt', `http://alice.localhost${at}/`],
    [`alice.alt.localhost${at}`, '/a?b', `http://alice.localhost${at}/a?b`],
    ['alice.alt.localhost', '//evil.example/x', 'http://alice.localhost/evil.example/x'],
  ];
  for (const [host, path, location] of redirects) {
    const reply = await ask(host, path);
    assert.equal(reply.status, 302);
    assert.equal(reply.headers['location'], location);
    assert.equal(reply.headers['cache-control'], 'no-store');
  }
  const front = await ask('localhost', '/');
  assert.equal(front.status, 200);
  assert.match(front.text, /<form action="\/open">/);
  assert.equal((await ask('blog.alice.alt', '/')).status, 404);
  for (const host of ['evil.example', 'localhost.evil.example']) {
    const reply = await ask(host, '/');
    assert.equal(reply.status, 421);
    assert.match(reply.text, /does not serve that host/);
  }
  assert.equal((await ask('a_b.alt', '/')).status, 400);
});

test('only GET and HEAD, and no body is waited for', async (t) => {
  const { sites, names, port, ask } = await runGateway(t);
  names.set('alice', { state: 'ok', root: sites.add(tree) });
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND']) {
    const reply = await ask('alice.alt', '/', { method });
    assert.equal(reply.status, 405, method);
    assert.equal(reply.headers['allow'], 'GET, HEAD');
  }
  const head = 'POST / HTTP/1.1\r\nHost: alice.alt\r\nContent-Length: 1000000\r\n\r\npart';
  assert.match(await raw(port, head), /^HTTP\/1\.1 405 [^]*connection: close/i);
  const get = 'GET / HTTP/1.1\r\nHost: alice.alt\r\nTransfer-Encoding: chunked\r\n\r\n';
  assert.match(await raw(port, get), /^HTTP\/1\.1 200 [^]*connection: close[^]*<h1>front/i);
});

test('paths that could mean two things are refused', async (t) => {
  const { sites, names, port, ask } = await runGateway(t);
  names.set('alice', { state: 'ok', root: sites.add(tree) });
  for (const target of ['/../x', '/docs/%2e%2e/x', '/a%2fb', '/%00', '/%ff', '/%', '*']) {
    assert.match(await raw(port, line(target, end)), /^HTTP\/1\.1 400 /, target);
  }
  assert.equal((await ask('alice.alt', `/${'a'.repeat(5000)}`)).status, 414);
  assert.deepEqual(sites.opened, []);
});

test('requests that two readers could read differently', async (t) => {
  const { sites, names, port } = await runGateway(t);
  names.set('alice', { state: 'ok', root: sites.add(tree) });
  const refused = [
    `GET / HTTP/1.1\r\n${end}`,
    `GET / HTTP/1.1\r\nHost: alice.alt\r\nHost: bob.alt\r\n${end}`,
    `GET / HTTP/1.1\r\nHost: alice.alt\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n${end}`,
    `GET / HTTP/1.1\r\nHost: alice.alt\r\nContent-Length: 1\r\nContent-Length: 2\r\n${end}`,
    `GET / HTTP/1.1\r\nHost : alice.alt\r\n${end}`,
    `GET / HTTP/1.1\r\nHost: alice.alt\r\nX: a\r\n folded\r\n${end}`,
    `GET / HTTP/1.1\r\nHost: alice.alt\r\nX: a\x00b\r\n${end}`,
    `GET http://user@alice.alt/ HTTP/1.1\r\nHost: alice.alt\r\n${end}`,
    `GET https://alice.alt/ HTTP/1.1\r\nHost: alice.alt\r\n${end}`,
    'GET /\r\n\r\n',
    'nonsense\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  ];
  for (const text of refused) {
    assert.match(await raw(port, text), /^HTTP\/1\.1 400 /, JSON.stringify(text));
  }
  const absolute = `GET http://alice.alt/ HTTP/1.1\r\nHost: evil.example\r\n${end}`;
  assert.match(await raw(port, absolute), /^HTTP\/1\.1 200 [^]*<h1>front/);
  const bare = `GET http://alice.alt?q HTTP/1.1\r\nHost: alice.alt\r\n${end}`;
  assert.match(await raw(port, bare), /^HTTP\/1\.1 200 /);
  const foreign = `GET http://evil.example/ HTTP/1.1\r\nHost: alice.alt\r\n${end}`;
  assert.match(await raw(port, foreign), /^HTTP\/1\.1 403 /);
  const huge = `GET / HTTP/1.1\r\nHost: alice.alt\r\nX: ${'a'.repeat(20_000)}\r\n${end}`;
  assert.match(await raw(port, huge), /^HTTP\/1\.1 431 /);
});

test('pipelined requests are answered in order', async (t) => {
  const { sites, names, port } = await runGateway(t);
  names.set('alice', { state: 'ok', root: sites.add(tree) });
  const text = await raw(port, line('/', '\r\n') + line('/none', '\r\n') + line('/style.css', end));
  assert.deepEqual(text.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 404', 'HTTP/1.1 200']);
});

test('under the host of the gateway itself no site is shown, also where there are no blocks', async (t) => {
  const { sites, ask } = await runGateway(t);
  const root = sites.add({ 'index.html': '<script>here()</script>' }).toString();
  const reply = await ask('localhost', `/ipfs/${root}/?format=raw`);
  assert.equal(reply.status, 302);
  assert.doesNotMatch(reply.text, /script/);
});
