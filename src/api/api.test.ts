/** The API as a foreign client sees it: real sockets, requests written by hand where that matters. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { type Answer, bearer, type Init, raw, running, token } from '../../test/support/api.ts';
import { atEnd } from '../../test/support/cleanup.ts';
import {
  FixedServices,
  sampleIds,
  sampleProgress,
  samples,
} from '../../test/support/node-services.ts';
import { AltNetError } from '../base/errors.ts';
import { silentLogger } from '../base/logger.ts';
import { Api } from './api.ts';
import { routes } from './routes.ts';

const { root } = sampleIds;

test('answers have the forms that desktop clients know', async (t) => {
  const { call, post } = await running(t);
  const domains = await call('/api/domains');
  const [one] = samples.names;
  assert.ok(one);
  const { name, cid, registrant: owner, registered_at, updated_at, version } = one;
  const domain = { name, root, cid, owner, registered_at, updated_at, version };
  assert.deepEqual(domains.json, { domains: [domain], count: 1 });
  const registered = await post('/api/register', { name: 'alice', root });
  assert.equal(registered.status, 201);
  assert.deepEqual(registered.json, samples.name);
  const published = await post('/api/publish', { path: '/srv/site' });
  assert.equal(published.status, 200);
  assert.deepEqual(published.json, { ...samples.publish, entry_count: 3 });
});

test('a check needs no token and says what holds the name', async (t) => {
  const { services, port } = await running(t);
  const check = async (): Promise<unknown> => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/check/alice`);
    assert.equal(answer.status, 200);
    return answer.json();
  };
  const name = 'alice.alt';
  const { author: owner } = sampleIds;
  services.resolved = { name, state: 'not-found', asked: 20 };
  assert.deepEqual(await check(), { name, available: true });
  services.resolved = { name, state: 'ok', owner, root, asked: 20 };
  assert.deepEqual(await check(), { name, available: false, owner, root });
  services.resolved = { name, state: 'contested', claimants: ['a', 'b'], asked: 20 };
  assert.deepEqual(await check(), {
    name,
    available: false,
    error:
      'alice.alt is claimed by 2 authors and none has a majority; open it by its root, or try later: a, b',
  });
  for (const state of ['expired', 'revoked', 'blocked'] as const) {
    services.resolved = { name, state, owner, root, asked: 20 };
    const { error, ...rest } = (await check()) as { error: string };
    assert.deepEqual(rest, { name, available: false, owner, root });
    assert.match(error, state === 'blocked' ? /blocklist/ : new RegExp(state));
  }
  services.failure = new AltNetError('BAD_NAME', { name: 'alice', why: 'why not' });
  assert.deepEqual(await check(), {
    name: 'alice',
    available: false,
    error: '"alice" cannot be a name: why not',
  });
});

test('checks without a token are few at a time', async (t) => {
  const { services, port } = await running(t);
  services.endless = true;
  const controller = new AbortController();
  const url = `http://127.0.0.1:${port}/api/check/alice`;
  const waiting = Array.from({ length: 8 }, () => fetch(url, { signal: controller.signal }));
  const ended = Promise.allSettled(waiting);
  while (services.asked.length < 8) await new Promise((resolve) => setImmediate(resolve));
  const refused = await fetch(url);
  assert.equal(refused.status, 503);
  assert.equal(refused.headers.get('retry-after'), '5');
  assert.equal(((await refused.json()) as { code: string }).code, 'BUSY');
  controller.abort();
  await ended;
});

test('everything else needs the token', async (t) => {
  const { call, services } = await running(t);
  const wrong = [
    '',
    'Bearer',
    `Bearer ${token}x`,
    `Bearer ${token.slice(1)}`,
    `Basic ${token}`,
    token,
  ];
  for (const authorization of wrong) {
    for (const path of ['/api/node', '/api/nothing', '/']) {
      const { status, json, headers } = await call(path, { headers: { authorization } });
      assert.equal(status, 401, `${path} ${authorization}`);
      assert.equal(json['code'], 'UNAUTHORIZED');
      assert.equal(headers.get('www-authenticate'), 'Bearer');
    }
  }
  assert.deepEqual(services.asked, []);
  assert.equal((await call('/api/node')).status, 200);
  const description = await call('/api/openapi.json', { headers: { authorization: '' } });
  assert.equal(description.json['openapi'], '3.1.0');
});

test('a foreign Host is refused before anything else, also where no token is needed', async (t) => {
  const { port, services } = await running(t);
  const hosts = [
    'evil.example',
    `evil.example:${port}`,
    'alice.localhost',
    '8.8.8.8',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '[::2]',
    'x y',
  ];
  for (const host of hosts) {
    const request = `GET /api/check/a HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`;
    assert.match(await raw(port, request), /^HTTP\/1\.1 421 /, host);
  }
  for (const host of ['localhost', `LOCALHOST:${port}`, '127.0.0.1', `[::1]:${port}`, '[::1]']) {
    const request = `GET /api/node HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`;
    assert.match(await raw(port, request), /^HTTP\/1\.1 200 /, host);
  }
  assert.match(await raw(port, 'GET /api/node HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 4/);
  assert.deepEqual(services.asked, []);
});

test('no other origin is let in', async (t) => {
  const { call } = await running(t);
  const { headers } = await call('/api/node', { headers: { origin: 'http://evil.example' } });
  const permissive = [...headers.keys()].filter((name) => name.startsWith('access-control'));
  assert.deepEqual(permissive, []);
  assert.equal(headers.get('x-content-type-options'), 'nosniff');
  assert.equal(headers.get('cache-control'), 'no-store');
});

test('input of a wrong form never reaches the node', async (t) => {
  const { call, post, services } = await running(t);
  const posts: [path: string, body: unknown][] = [
    ['/api/publish', {}],
    ['/api/publish', { path: 1 }],
    ['/api/publish', { path: '' }],
    ['/api/publish', { path: 'relative' }],
    ['/api/publish', { path: '/a', extra: true }],
    ['/api/publish', { path: '/a', keep: 'yes' }],
    ['/api/unpublish', {}],
    ['/api/publish', { path: `/${'a'.repeat(4096)}` }],
    ['/api/publish', [{ path: '/a' }]],
    ['/api/publish', null],
    ['/api/fetch', { what: 'a', dest: 'relative' }],
    ['/api/register', { name: 'a' }],
    ['/api/register', { name: ['a'], root }],
    ['/api/register', { name: 'a', root, owner: '' }],
    ['/api/register', { name: 'a', root, owner: 'two\nlines' }],
    ['/api/register', { name: 'a', root, owner: 'o'.repeat(256) }],
    ['/api/links', { url: 'http://a.example/' }],
    ['/api/links', { url: 'u', target: 't', captured: -1 }],
    ['/api/links', { url: 'u', target: 't', captured: '7' }],
    ['/api/links', { url: 'u', target: 't', sha256: 'zz' }],
    ['/api/ping', { id: 'abc' }],
    ['/api/bootstrap', { address: 9 }],
    ['/api/values', { value: 'a JSON body is not a value' }],
  ];
  for (const [path, body] of posts) {
    const { status, json } = await post(path, body);
    assert.equal(status, 400, `${path} ${JSON.stringify(body)}`);
    assert.equal(json['code'], 'BAD_ARGUMENT');
    assert.equal(typeof json['error'], 'string');
  }
  const gets: [path: string, status: number][] = [
    ['/api/find/xyz', 400],
    ['/api/values/xyz', 400],
    ['/api/links?url=', 400],
    ['/api/links?url=a&url=b', 400],
    ['/api/links?nonsense=1', 400],
    [`/api/resolve/${'a'.repeat(300)}`, 414],
    ['/api/resolve/%ff', 400],
    ['/api/resolve/alice?fresh=maybe', 400],
    ['/api/sites?own=maybe', 400],
    ['/api/nothing', 404],
  ];
  for (const [path, want] of gets) {
    const { status, json } = await call(path);
    assert.equal(status, want, path);
    assert.equal(json['code'], 'BAD_ARGUMENT');
  }
  assert.deepEqual(services.asked, []);
});

test('no endpoint has a schema that cannot be compiled', async (t) => {
  const { call } = await running(t);
  const post: Init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"nonsense":1}',
  };
  for (const { method, path, from, input, query, tar } of routes) {
    const at = path.replaceAll(/:\w+/g, 'x');
    const asked = from === 'body' ? post : { method };
    if (from === 'body') assert.equal((await call(at, asked)).status, 400, path);
    if (from === 'query' || query) assert.equal((await call(`${at}?nonsense`, asked)).status, 400);
    if (from === 'params') assert.ok((await call(at, asked)).status < 500, path);
    if (tar) assert.equal((await call(`${at}?nonsense`, { method })).status, 400, path);
    assert.equal(input === undefined, from === 'none' || from === 'octets', path);
  }
});

test('bodies that are no JSON, too big or of another type', async (t) => {
  const { call, services } = await running(t);
  const send = (type: string, body: string, path = '/api/publish'): Promise<Answer> =>
    call(path, { method: 'POST', headers: { 'content-type': type }, body });
  assert.equal((await send('application/json', '{')).status, 400);
  assert.equal((await send('application/json', '')).status, 400);
  assert.equal((await send('application/json', '{"__proto__":{"a":1}}')).status, 400);
  assert.equal((await send('application/x-tar', 'tar', '/api/register')).status, 415);
  assert.equal((await send('text/html', '{"path":"/a"}')).status, 415);
  assert.equal((await send('text/plain', '{"path":"/a"}')).status, 415);
  assert.equal((await call('/api/publish', { method: 'POST' })).status, 400);
  const deep = `${'['.repeat(17)}${']'.repeat(17)}`;
  assert.match((await send('application/json', deep)).text, /nested more than 16 deep/);
  assert.doesNotMatch((await send('application/json', `"${deep}\\"[["`)).text, /nested/);
  assert.equal((await send('application/json', `"${'a'.repeat(70_000)}"`)).status, 413);
  const { status, json } = await send('text/plain', 'a'.repeat(65_537), '/api/values');
  assert.equal(status, 413);
  assert.equal(json['code'], 'VALUE_TOO_BIG');
  assert.match(String(json['error']), /65537 bytes, at most 65536/);
  assert.deepEqual(services.asked, []);
});

test('values travel as they are', async (t) => {
  const { call, services } = await running(t);
  const body = Uint8Array.from({ length: 65_536 }, (_, i) => i & 255);
  const headers = { 'content-type': 'application/octet-stream' };
  const put = await call('/api/values', { method: 'POST', headers, body });
  assert.equal(put.status, 201);
  assert.deepEqual(put.json, samples.putValue);
  assert.deepEqual(services.asked, [['putValue', body]]);
  const got = await call(`/api/values/${sampleIds.value}`);
  assert.equal(got.headers.get('content-type'), 'application/octet-stream');
  const text = await call('/api/values', { method: 'POST', body: 'Grüße' });
  assert.equal(text.status, 201);
  assert.deepEqual(services.asked.at(-1), ['putValue', new TextEncoder().encode('Grüße')]);
});

test('long work answers in lines when they are asked for', async (t) => {
  const { call, services } = await running(t);
  const accept = 'application/x-ndjson, application/json;q=0.5';
  const headers = { accept, 'content-type': 'application/json' };
  const register = { method: 'POST', headers, body: JSON.stringify({ name: 'a', root }) };
  const done = await call('/api/register', register);
  assert.equal(done.status, 200);
  assert.equal(done.headers.get('content-type'), 'application/x-ndjson');
  assert.equal(
    done.text,
    `${JSON.stringify({ progress: sampleProgress })}\n${JSON.stringify({ result: samples.name })}\n`,
  );
  services.failure = new AltNetError('NAME_TAKEN', { name: 'a.alt', owner: 'somebody' });
  const lines = (await call('/api/register', register)).text.trimEnd().split('\n');
  assert.deepEqual(JSON.parse(lines.at(-1) ?? ''), {
    error: 'a.alt belongs to another author (somebody); choose another name',
    code: 'NAME_TAKEN',
    details: { name: 'a.alt', owner: 'somebody' },
  });
});

test('links come line by line, the first before the search ends', async (t) => {
  const { services, port } = await running(t);
  services.endless = true;
  const controller = new AbortController();
  const url = `http://127.0.0.1:${port}/api/links?url=http%3A%2F%2Fdead.example%2Fa`;
  const answer = await fetch(url, { headers: bearer, signal: controller.signal });
  assert.equal(answer.headers.get('content-type'), 'application/x-ndjson');
  const reader = answer.body?.getReader();
  const first = await reader?.read();
  assert.deepEqual(JSON.parse(Buffer.from(first?.value ?? []).toString()), samples.foundLinks[0]);
  controller.abort();
  assert.equal(await services.givenUp.promise, 'getLinks');
});

test('a defect is reported without its inner text', async (t) => {
  const { call, services } = await running(t);
  services.failure = new Error('secret path /home/alice');
  const { status, json, text } = await call('/api/stats');
  assert.equal(status, 500);
  assert.equal(json['code'], 'INTERNAL');
  assert.doesNotMatch(text, /alice/);
});

test('stop ends what runs, and can be called again', async (t) => {
  const { api, services, call } = await running(t);
  services.endless = true;
  const cut = assert.rejects(call('/api/resolve/alice'));
  while (services.asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await api.stop();
  await api.stop();
  await cut;
  assert.equal(await services.givenUp.promise, 'resolve');
  assert.throws(() => api.address(), { code: 'INTERNAL' });
});

test('an address that cannot be had rejects start', async (t) => {
  const blocker = createServer().listen(0, '127.0.0.1');
  atEnd(t, () => blocker.close());
  await once(blocker, 'listening');
  const { port } = blocker.address() as { port: number };
  const deps = { services: new FixedServices(), token, log: silentLogger };
  const taken = new Api(deps, { host: '127.0.0.1', port });
  await assert.rejects(taken.start(), { code: 'PORT_TAKEN' });
  await taken.stop();
  const foreign = new Api(deps, { host: '192.0.2.1', port: 0 });
  await assert.rejects(foreign.start(), { code: 'BIND_FAILED' });
});

test('the OpenAPI document describes every endpoint that there is', async (t) => {
  const { call } = await running(t);
  const { json } = await call('/api/openapi.json');
  const paths = json['paths'] as Record<string, Record<string, { operationId: string }>>;
  const operations = Object.values(paths).flatMap((path) => Object.values(path));
  assert.equal(new Set(operations.map(({ operationId }) => operationId)).size, operations.length);
  assert.equal(operations.length, routes.length);
  for (const [path, methods] of Object.entries(paths)) {
    for (const method of Object.keys(methods)) {
      const answer = await call(path.replaceAll(/\{\w+\}/g, 'x'), { method: method.toUpperCase() });
      assert.notEqual(answer.status, 404, `${method} ${path}`);
    }
  }
});

test('a token that could be guessed, or none, never opens the API', async () => {
  for (const weak of ['', 'short', 'with a space in the midst']) {
    const deps = { services: new FixedServices(), token: weak, log: silentLogger };
    const api = new Api(deps, { host: '127.0.0.1', port: 0 });
    await assert.rejects(api.start(), { code: 'BAD_ARGUMENT' });
    await api.stop();
  }
});
