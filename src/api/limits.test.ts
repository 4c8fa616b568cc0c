/** What the API refuses, and what it ends: slow, doubled, foreign and too many requests. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { raw, running, token } from '../../test/support/api.ts';
import { atEnd } from '../../test/support/cleanup.ts';
import { samples } from '../../test/support/node-services.ts';

const tar = { 'content-type': 'application/x-tar' };

interface Conversation {
  readonly socket: Socket;
  /** Resolves with all that came, once the other side has hung up. */
  readonly ended: Promise<string>;
}

function talk(t: TestContext, port: number, head: string): Conversation {
  const socket = connect(port, '127.0.0.1');
  atEnd(t, () => socket.destroy());
  const chunks: Uint8Array[] = [];
  socket.on('data', (chunk: Uint8Array) => chunks.push(chunk)).on('error', () => undefined);
  socket.write(head);
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  // What came before a connection broke counts as well.
  socket.once('close', () => resolve(Buffer.concat(chunks).toString()));
  return { socket, ended };
}

const headOf = (line: string, ...headers: readonly string[]): string =>
  [
    `${line} HTTP/1.1`,
    'Host: localhost',
    `Authorization: Bearer ${token}`,
    ...headers,
    '',
    '',
  ].join('\r\n');

test('an archive reaches the node as it is, packed or not, with its query', async (t) => {
  const { call, services } = await running(t);
  const body = Buffer.alloc(300_000, 'archive');
  const plain = await call('/api/publish?name=a&keep=true', { method: 'POST', headers: tar, body });
  assert.equal(plain.status, 200);
  assert.deepEqual(plain.json, { ...samples.publish, entry_count: 3 });
  assert.deepEqual(services.asked, [['publishTar', { name: 'a', keep: true, bytes: 300_000 }]]);
  const forms = [
    { 'content-type': 'application/gzip' },
    { ...tar, 'content-encoding': 'gzip' },
  ] as const;
  for (const headers of forms) {
    const packed = await call('/api/publish', { method: 'POST', headers, body: gzipSync(body) });
    assert.equal(packed.status, 200);
    assert.deepEqual(services.asked.at(-1), ['publishTar', { keep: false, bytes: 300_000 }]);
  }
  const [headers] = forms;
  const brotli = { ...tar, 'content-encoding': 'br' };
  const other = await call('/api/publish', { method: 'POST', headers: brotli, body });
  assert.equal(other.status, 415);
  for (const bad of [gzipSync(body).subarray(0, 300), body]) {
    const { status, text } = await call('/api/publish', { method: 'POST', headers, body: bad });
    assert.equal(status, 400);
    assert.match(text, /not valid gzip/);
  }
  const json = { 'content-type': 'application/json' };
  for (const [query, type] of [
    ['keep=yes', tar],
    ['path=x', tar],
    ['name=a', json],
  ] as const) {
    const wrong = { method: 'POST', headers: type, body: '{"path":"/a"}' };
    assert.equal((await call(`/api/publish?${query}`, wrong)).status, 400, query);
  }
});

test('an upload that stands still or takes too long is ended with 408', async (t) => {
  const cases = [
    [{ uploadIdleMs: 50 }, /nothing for 0.05 s/],
    [{ uploadMs: 50 }, /it took more than 0.05 s/],
  ] as const;
  for (const [limits, why] of cases) {
    const { port, services } = await running(t, { ...limits, lingerMs: 20 });
    const head = headOf(
      'POST /api/publish',
      'Content-Type: application/x-tar',
      'Content-Length: 9',
    );
    const answer = await talk(t, port, `${head}tar`).ended;
    assert.match(answer, /^HTTP\/1\.1 408 /);
    assert.match(answer, why);
    assert.deepEqual(services.asked, []);
  }
});

test('other bodies and heads have their time, too', async (t) => {
  const { port, services } = await running(t, { headMs: 100, bodyMs: 50, lingerMs: 20 });
  const json = headOf('POST /api/register', 'Content-Type: application/json', 'Content-Length: 9');
  const body = await talk(t, port, `${json}{`).ended;
  assert.match(body, /^HTTP\/1\.1 408 /);
  assert.match(body, /"code":"BAD_ARGUMENT"/);
  const head = await talk(t, port, 'GET /api/node HTTP/1.1\r\nHost: localhost\r\nX-Y: z').ended;
  assert.match(head, /^HTTP\/1\.1 408 .*"error":"the request: it came too slowly"/s);
  assert.deepEqual(services.asked, []);
});

test('an answer before the end of a body is read, and the rest not for long', async (t) => {
  const { port } = await running(t, { lingerMs: 50 });
  const refused = [
    'POST /api/publish HTTP/1.1',
    'Host: localhost',
    'Content-Type: application/x-tar',
  ];
  const head = [...refused, 'Content-Length: 1000000000', '', ''].join('\r\n');
  const { socket, ended } = talk(t, port, head);
  const more = (): void => {
    while (!socket.destroyed && socket.write(Buffer.alloc(65_536)));
  };
  socket.on('drain', more);
  more();
  assert.match(await ended, /^HTTP\/1\.1 401 /);
});

test('a sender who goes away ends the work', async (t) => {
  const { port, services } = await running(t);
  services.endless = true;
  const head = headOf('POST /api/publish', 'Content-Type: application/x-tar', 'Content-Length: 3');
  const { socket } = talk(t, port, `${head}tar`);
  while (services.asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
  socket.destroy();
  assert.equal(await services.givenUp.promise, 'publishTar');
});

test('only a few archives come at a time', async (t) => {
  const { port, call } = await running(t);
  const head = headOf('POST /api/publish', 'Content-Type: application/x-tar', 'Content-Length: 9');
  const slow = Array.from({ length: 4 }, () => talk(t, port, `${head}tar`));
  const upload = { method: 'POST', headers: tar, body: 'tar' };
  let refused = await call('/api/publish', upload);
  while (refused.status !== 503) refused = await call('/api/publish', upload);
  assert.match(refused.text, /tar archives to \/api\/publish: too much/);
  for (const { socket } of slow) socket.end('archive');
  await Promise.all(slow.map(({ ended }) => ended));
  assert.equal((await call('/api/publish', upload)).status, 200);
});

test('pages of other origins change nothing, not even with the token', async (t) => {
  const { call, port, services } = await running(t);
  const json = { 'content-type': 'application/json' };
  const own = `http://127.0.0.1:${port}`;
  const foreign: readonly Readonly<Record<string, string>>[] = [
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: `http://alice.localhost:${port}` },
    { origin: 'http://127.0.0.1:1' },
    { origin: own, 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ];
  const release = (headers: Readonly<Record<string, string>>): ReturnType<typeof call> =>
    call('/api/release', {
      method: 'POST',
      headers: { ...json, ...headers },
      body: '{"name":"a"}',
    });
  for (const headers of foreign) {
    assert.equal((await release(headers)).status, 403, JSON.stringify(headers));
  }
  assert.deepEqual(services.asked, []);
  assert.equal((await release({ origin: own, 'sec-fetch-site': 'same-origin' })).status, 200);
});

test('a header that counts may stand there only once', async (t) => {
  const { port } = await running(t);
  const doubled = [
    'Host: localhost',
    `Authorization: Bearer ${token}`,
    'authorization: Bearer other',
  ];
  for (const line of doubled) {
    const single = headOf('GET /api/node', 'Connection: close');
    assert.match(await raw(port, single), /^HTTP\/1\.1 200 /);
    const twice = headOf('GET /api/node', line, 'Connection: close');
    assert.match(await raw(port, twice), /^HTTP\/1\.1 400 /, line);
  }
});

test('more than is let in of one endpoint at a time is told to come again', async (t) => {
  const { call, services } = await running(t);
  services.endless = true;
  const controller = new AbortController();
  const { signal } = controller;
  const waiting = Array.from({ length: 128 }, () => call('/api/resolve/a', { signal }));
  const ended = Promise.allSettled(waiting);
  while (services.asked.length < 128) await new Promise((resolve) => setImmediate(resolve));
  const refused = await call('/api/resolve/a');
  assert.equal(refused.status, 503);
  services.endless = false;
  assert.equal((await call('/api/node')).status, 200, 'the others go on');
  controller.abort();
  await ended;
});

test('what is no request, or none of ours, is answered like any other error', async (t) => {
  const { port } = await running(t);
  const cases = [
    [400, 'nonsense\r\n\r\n'],
    [400, headOf('GET /api/node', 'Content-Length: 1', 'Content-Length: 2')],
    [400, headOf('POST /api/ping', 'Content-Length: 1', 'Transfer-Encoding: chunked')],
    [431, headOf('GET /api/node', `X-Long: ${'x'.repeat(20_000)}`)],
    [404, headOf('PUT /api/node', 'Connection: close')],
    [404, headOf('GET //api/node', 'Connection: close')],
    [414, headOf(`GET /api/check/${'a'.repeat(300)}`, 'Connection: close')],
  ] as const;
  for (const [status, request] of cases) {
    const answer = await talk(t, port, request).ended;
    assert.match(answer, new RegExp(`^HTTP/1.1 ${status} .*"error":".*"code":"BAD_ARGUMENT"`, 's'));
  }
});
