/** HTTPS: handshakes, both versions of HTTP, and what clients may not do. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Stream, constants } from 'node:http2';
import process from 'node:process';
import { test } from 'node:test';
import { until } from '../../test/support/gateway.ts';
import {
  exchange,
  http2Ask,
  http2Session,
  runSecureGateway,
  secureSocket,
} from '../../test/support/secure-gateway.ts';

/** Node.js says once that a header has no place in HTTP/2. BOUNDED by that. */
const unsupported: string[] = [];
process.on('warning', ({ name, message }) => {
  if (name === 'UnsupportedWarning') unsupported.push(message);
});

const get = (host: string, path = '/'): string =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

/** The code that a stream ended with. */
function endOf(stream: ClientHttp2Stream): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  stream.on('error', () => undefined);
  stream.once('close', () => resolve(stream.rstCode));
  return promise;
}

test('a site over HTTP/1.1 and HTTP/2, with links that stay secure', async (t) => {
  const { securePort: port, authority, sites } = await runSecureGateway(t);
  const target = { port, ca: authority.pem, servername: 'alice.alt' };
  const http1 = await exchange(await secureSocket(t, target), get('alice.alt'));
  assert.match(http1, /^HTTP\/1\.1 200 [^]*<h1>front/);
  assert.doesNotMatch(http1, /strict-transport-security/i);
  const session = await http2Session(t, target);
  const page = await http2Ask(session, { ':path': '/' });
  assert.equal(page.status, 200);
  assert.equal(page.text, '<h1>front</h1>');
  const etag = String(page.headers['etag']);
  assert.equal((await http2Ask(session, { 'if-none-match': etag })).status, 304);
  const part = await http2Ask(session, { ':path': '/style.css', range: 'bytes=0-1' });
  assert.equal(part.status, 206);
  assert.equal(part.text, 'h1');
  assert.equal((await http2Ask(session, { ':method': 'HEAD' })).text, '');
  assert.equal((await http2Ask(session, { ':path': '/none' })).status, 404);
  const below = await http2Ask(session, { ':authority': 'blog.alice.alt' });
  assert.equal(below.status, 404, 'nobody has set blog, but it may be asked for here');
  const front = { port, ca: authority.pem, servername: 'localhost.alt' };
  const led = await exchange(await secureSocket(t, front), get('localhost.alt:8443', '/n/alice/x'));
  assert.match(led, /^HTTP\/1\.1 302 [^]*location: https:\/\/alice\.alt:8443\/x/i);
  const root = sites.add({ 'index.html': 'by root' }).toString();
  const byRoot = { port, ca: authority.pem, servername: `${root}.alt` };
  assert.match(await exchange(await secureSocket(t, byRoot), get(`${root}.alt`)), /by root/);
});

test('who names a foreign host is shown no certificate', async (t) => {
  const { securePort: port, authority } = await runSecureGateway(t);
  const foreign = ['example.com', 'localhost', 'alice.localhost', 'gns.alt', 'a.b.c.alt'];
  for (const servername of foreign) {
    const connecting = secureSocket(t, { port, ca: authority.pem, servername });
    await assert.rejects(connecting, { code: 'ECONNRESET' }, servername);
  }
  const protocols = ['spdy/3'];
  const target = { port, ca: authority.pem, servername: 'alice.alt', protocols };
  await assert.rejects(secureSocket(t, target), { code: /ALPN|NO_APPLICATION_PROTOCOL/ });
  assert.match(
    await exchange(
      await secureSocket(t, { port, ca: authority.pem, servername: 'alice.alt' }),
      get('alice.alt'),
    ),
    /200/,
  );
});

test('a connection for one site carries no requests for another', async (t) => {
  const { securePort: port, authority } = await runSecureGateway(t);
  const target = { port, ca: authority.pem, servername: 'bob.alt' };
  const session = await http2Session(t, target);
  for (const host of ['alice.alt', 'localhost', '127.0.0.1', 'example.com']) {
    assert.equal((await http2Ask(session, { ':authority': host })).status, 421, host);
  }
  const two = await http2Ask(session, { ':authority': 'bob.alt', host: 'alice.alt' });
  assert.notEqual(two.status, 200);
  const socket = await secureSocket(t, target);
  assert.match(await exchange(socket, get('alice.alt')), /^HTTP\/1\.1 421 /);
});

test('other methods, bodies and protocols get an answer and no patience', async (t) => {
  const { securePort: port, authority } = await runSecureGateway(t);
  const target = { port, ca: authority.pem, servername: 'alice.alt' };
  const session = await http2Session(t, target);
  const posted = session.request({ ':method': 'POST', ':path': '/' });
  const ended = endOf(posted);
  posted.write('the beginning of a body that never ends');
  const [headers] = (await once(posted, 'response')) as [Record<string, unknown>];
  assert.equal(headers[':status'], 405);
  posted.resume();
  assert.equal(await ended, constants.NGHTTP2_NO_ERROR);
  const socket =
    'GET / HTTP/1.1\r\nHost: alice.alt\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
  assert.match(
    await exchange(await secureSocket(t, target), socket),
    /^HTTP\/1\.1 501 [^]*no WebSockets/i,
  );
  const huge = `GET / HTTP/1.1\r\nHost: alice.alt\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`;
  assert.match(await exchange(await secureSocket(t, target), huge), /^HTTP\/1\.1 431 /);
  const tunnel = 'CONNECT alice.alt:443 HTTP/1.1\r\nHost: alice.alt\r\n\r\n';
  assert.equal(await exchange(await secureSocket(t, target), tunnel), '');
  const connect = { ':method': 'CONNECT', ':authority': 'alice.alt:443' };
  const refused = session.request(connect, { endStream: false });
  const over = endOf(refused);
  const [{ ':status': status }] = (await once(refused, 'response')) as [Record<string, unknown>];
  assert.equal(status, 405);
  refused.resume();
  assert.equal(await over, constants.NGHTTP2_NO_ERROR);
});

test('an answer that cannot be completed is broken off, not ended', async (t) => {
  const { securePort: port, authority, sites, names } = await runSecureGateway(t);
  sites.readFailsAfter = 65_536;
  names.set('big', { state: 'ok', root: sites.add({ 'big.bin': new Uint8Array(1 << 20) }) });
  const session = await http2Session(t, { port, ca: authority.pem, servername: 'big.alt' });
  const stream = session.request({ ':path': '/big.bin' });
  stream.resume();
  assert.equal(await endOf(stream), constants.NGHTTP2_INTERNAL_ERROR);
});

test('a stream on which nothing moves is closed, whatever else its session does', async (t) => {
  const {
    securePort: port,
    authority,
    sites,
    names,
  } = await runSecureGateway(t, {
    idleTimeoutMs: 200,
  });
  names.set('big', { state: 'ok', root: sites.add({ 'big.bin': new Uint8Array(8 << 20) }) });
  const session = await http2Session(t, { port, ca: authority.pem, servername: 'big.alt' });
  const stream = session.request({ ':path': '/big.bin' });
  const ended = endOf(stream);
  await once(stream, 'response');
  while (!stream.closed)
    await new Promise((resolve) => session.ping(() => setTimeout(resolve, 20)));
  assert.equal(await ended, constants.NGHTTP2_CANCEL);
  await until(() => sites.reading === 0);
});

test('many streams at once get all they asked for', async (t) => {
  const { securePort: port, authority, sites, names } = await runSecureGateway(t);
  const bytes = 1 << 20;
  names.set('big', { state: 'ok', root: sites.add({ 'big.bin': new Uint8Array(bytes) }) });
  const session = await http2Session(t, { port, ca: authority.pem, servername: 'big.alt' });
  const asked = Array.from({ length: 80 }, () => http2Ask(session, { ':path': '/big.bin' }));
  for (const { status, bytes: got } of await Promise.all(asked)) {
    assert.equal(status, 200);
    assert.equal(got.length, bytes);
  }
});

test('a session that opens and resets streams without end is closed', async (t) => {
  const { securePort: port, authority, sites } = await runSecureGateway(t);
  const session = await http2Session(t, { port, ca: authority.pem, servername: 'alice.alt' });
  sites.silent = true;
  let streams = 0;
  for (; !session.destroyed && streams < 1000; streams++) {
    const stream = session.request({ ':path': `/${streams}` });
    const ended = endOf(stream);
    await until(() => session.destroyed || sites.opened.length > streams);
    stream.close(constants.NGHTTP2_CANCEL);
    await ended;
  }
  assert.ok(streams < 1000, 'it went on');
});

test('stop ends sessions, tunnels and all', async (t) => {
  const { gateway, securePort: port, authority } = await runSecureGateway(t);
  const session = await http2Session(t, { port, ca: authority.pem, servername: 'alice.alt' });
  assert.equal((await http2Ask(session, { ':path': '/' })).status, 200);
  const closed = once(session, 'close');
  await Promise.all([gateway.stop(), closed]);
  const again = secureSocket(t, { port, ca: authority.pem, servername: 'alice.alt' });
  await assert.rejects(again, { code: 'ECONNREFUSED' });
});

test('a body over HTTP/2 is not read, without a word of it on the terminal', async (t) => {
  const { securePort: port, authority } = await runSecureGateway(t);
  const session = await http2Session(t, { port, ca: authority.pem, servername: 'alice.alt' });
  const headers = { 'content-length': '2' };
  assert.equal((await http2Ask(session, { ...headers, ':method': 'POST' }, 'hi')).status, 405);
  assert.equal((await http2Ask(session, headers, 'hi')).status, 200);
  await new Promise((resolve) => setImmediate(resolve)); // warnings come a turn later
  assert.deepEqual(unsupported, []);
});

test("who names no host is shown the gateway's own certificate, and reaches no site", async (t) => {
  const { securePort: port, authority } = await runSecureGateway(t);
  const target = { port, ca: authority.pem, servername: undefined };
  const socket = await secureSocket(t, target);
  assert.match(socket.getPeerCertificate().subjectaltname ?? '', /DNS:localhost\.alt/);
  assert.match(await exchange(socket, get('alice.alt')), /^HTTP\/1\.1 421 /);
  const again = await secureSocket(t, target);
  assert.match(await exchange(again, get('127.0.0.1')), /^HTTP\/1\.1 200 /);
});

/** How stream 1 came to its end, by its frames (RFC 9113, section 4.1). */
function endIn(bytes: Buffer): 'its last frame' | 'a reset' | undefined {
  for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
    const [type = 0, flags = 0] = bytes.subarray(at + 3, at + 5);
    if (bytes.readUInt32BE(at + 5) !== 1) continue;
    if (type === 3) return 'a reset';
    if (type < 2 && (flags & 1) === 1) return 'its last frame';
  }
  return undefined;
}

const frame = (head: readonly number[], payload = Buffer.alloc(0)): Buffer =>
  Buffer.concat([Buffer.from([0, 0, payload.length, ...head]), payload]);

test('an answer is over before its stream is reset: else Firefox takes it for cut off', async (t) => {
  const { securePort: port, authority } = await runSecureGateway(t);
  const target = { port, ca: authority.pem, servername: 'alice.alt', protocols: ['h2'] };
  const settings = frame([4, 0, 0, 0, 0, 0]);
  // A GET that is whole, and a POST whose body never comes: method, flags.
  for (const [method, flags] of [
    [0x82, 5],
    [0x83, 4],
  ] as const) {
    const socket = await secureSocket(t, target);
    let got = Buffer.alloc(0); // BOUNDED by the answer
    socket.on('data', (piece: Buffer) => (got = Buffer.concat([got, piece])));
    const fields = Buffer.from([method, 0x87, 0x84, 0x41, 9, ...Buffer.from('alice.alt')]);
    socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), settings]));
    socket.write(frame([1, flags, 0, 0, 0, 1], fields));
    await until(() => endIn(got) !== undefined);
    assert.equal(endIn(got), 'its last frame');
  }
});
